"""Runs what the files of a deployment run: systemd units, timers, cron, containers."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.docs.background import Background
from tests.docs.pages import ROOT

Check = Callable[[Path, dict[str, str]], list[Background]]

# The settings that the pages use, so that a typo is an error. systemd only logs a warning.
_SETTINGS: Final = {
    "Unit": {"Description", "After", "Wants"},
    "Service": {
        "Type", "User", "ExecStart", "ExecReload", "EnvironmentFile", "Restart", "LimitNOFILE",
        "TimeoutStopSec", "WorkingDirectory",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip
_CRON_LINE: Final = re.compile(r"(?P<time>(?:[\d*,/-]+ +){5})(?P<user>\w+) +(?P<command>.+)")
_VARIABLE: Final = re.compile(r"^(\w+)=(\S+)$", re.MULTILINE)


def check_of(path: Path) -> Check | None:
    """Return the function that runs a file, or None if it is a file of another kind.

    The function returns the programs that continue to run.
    """
    if path.name == "Containerfile":
        return _run_container
    if path.suffix in {".service", ".timer"}:
        return _run_unit
    return None if "." in path.name else _run_cron


def _run_unit(path: Path, environment: dict[str, str]) -> list[Background]:
    """Run the command of a service. A timer needs the service of its name."""
    settings = list(_settings(path.read_text(encoding="utf-8")))
    for section, name, _ in settings:
        assert name in _SETTINGS[section], f"{path.name}: [{section}] {name}"
    if path.suffix == ".timer":
        assert path.with_suffix(".service").is_file(), f"{path.name}: its service is missing"
        return []
    values = {name: value for _, name, value in settings}
    if file := values.get("EnvironmentFile"):
        environment |= variables(Path(file))
    commands = [value for _, name, value in settings if name == "ExecStart"]
    if values.get("Type") == "oneshot":
        for command in commands:
            _run(command, path.parent, environment)
        return []
    return [_started(command, path.parent, environment) for command in commands]


def variables(path: Path) -> dict[str, str]:
    """Return the variables of an environment file."""
    return dict(_VARIABLE.findall(path.read_text(encoding="utf-8")))


def _settings(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and value of each setting. A name may be repeated."""
    section = ""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield section, name, value


def _run_cron(path: Path, environment: dict[str, str]) -> list[Background]:
    """Run every command of a crontab in the format of /etc/cron.d."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line:
            continue
        if variable := _VARIABLE.fullmatch(line):
            environment |= {variable[1]: variable[2]}
            continue
        entry = _CRON_LINE.fullmatch(line)
        assert entry, f"{path.name}: {line}"
        # cron takes a percent sign for the end of the command, unless it is escaped.
        assert not re.search(r"(?<!\\)%", entry["command"]), line
        _run(entry["command"].replace(r"\%", "%"), path.parent, environment)
    return []


def _run_container(path: Path, environment: dict[str, str]) -> list[Background]:
    """Check the instructions of an image, and run its command."""
    steps = re.findall(r"^([A-Z]+) (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    kinds = [kind for kind, _ in steps]
    assert (kinds[0], kinds[-1]) == ("FROM", "CMD")
    assert set(kinds) <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "CMD"}
    for kind, text in steps:
        if kind == "RUN" and "pip install" in text:
            check_packages(text)
        elif kind == "COPY":
            for source in text.split()[:-1]:
                # `make wheel` builds the wheel.
                assert source == "dist/*.whl" or (path.parent / source).is_file(), source
    command: list[str] = tomllib.loads(f"command = {steps[-1][1]}")["command"]
    return [_started(shlex.join(command), path.parent, environment)]


def check_packages(command: str) -> None:
    """Assert that `pip install` names extras of jetstow, and packages of the development lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0] for line in lock}
    arguments = command.partition("pip install")[2]
    for word in shlex.split(arguments, posix=False):
        assert word[0] in "'\"" or "[" not in word, f"{word}: quote the extra, as [ is a pattern"
    for word in (word for word in shlex.split(arguments) if not word.startswith("-")):
        package, _, extras = word.rstrip("]").partition("[")
        if package in {".", "*.whl", "$(ls *.whl)"}:
            assert set(filter(None, extras.split(","))) <= set(project["optional-dependencies"])
        else:
            assert package.replace("_", "-") in locked, f"{package} is not in dev.lock"


def _run(command: str, folder: Path, environment: dict[str, str]) -> None:
    process = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"


def _started(command: str, folder: Path, environment: dict[str, str]) -> Background:
    program = Background(command, folder, environment)
    program.wait_ready()
    return program
