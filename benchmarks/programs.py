"""The programs of the clients: how each is started, its version, or why it is missing."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.plan import PREVIOUS
from benchmarks.process import ROOT

NATSIO = "natsio==1.0.1"
JS_FOLDER = ROOT / "tests" / "interop" / "js"
NATSIO_VENV = ROOT / ".cache" / "bench" / "natsio"


@dataclass(frozen=True)
class ClientProgram:
    """The program of a client."""

    name: str
    version: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, object] = field(default_factory=dict)
    missing: str = ""
    """Why it cannot run; "" if it can."""


def all_clients(base: str) -> dict[str, ClientProgram]:
    """Return every client in the order of the tables.

    `base` is the git revision of the previous version of jetstow; "" leaves it out.
    """
    programs = [
        _python("limit", "limit", ""),
        _python("jetstow", "jetstow", version("jetstow")),
        _python("nats-py", "nats_py", version("nats-py")),
        _python("natsrpy", "natsrpy", version("natsrpy")),
        _natsio(),
        _node("nats.js"),
        _node("nats.js native", native=True),
        *([_previous(base)] if base else []),
    ]
    return {program.name: program for program in programs}


def _python(name: str, module: str, number: str, python: str = sys.executable) -> ClientProgram:
    return ClientProgram(name, number, [python, "-m", f"benchmarks.clients.{module}"])


def _node(name: str, **flags: object) -> ClientProgram:
    node = shutil.which("node")
    package = JS_FOLDER / "node_modules" / "@nats-io" / "obj" / "package.json"
    if node is None or not package.exists():
        return ClientProgram(
            name, "", [], missing="node or its packages are not installed: run `make peers`"
        )
    number = str(json.loads(package.read_text())["version"])
    command = [node, str(ROOT / "benchmarks" / "clients" / "nats_js.mjs")]
    return ClientProgram(name, number, command, {"BENCH_NODE_FOLDER": str(JS_FOLDER)}, flags)


def _previous(base: str) -> ClientProgram:
    """Return another revision of jetstow, installed from a wheel in an environment of its own."""
    try:
        commit = _run("git", "rev-parse", "--short=10", f"{base}^{{commit}}").strip()
        python = _previous_environment(commit)
    except subprocess.CalledProcessError as error:
        return ClientProgram(PREVIOUS, base, [], missing=str(error))
    return _python(PREVIOUS, "jetstow", commit, str(python))


def _previous_environment(commit: str) -> Path:
    """Return the Python of an environment with a commit of jetstow, and create it if missing.

    The commit has the versions of its dependencies that are installed here: only jetstow differs.
    """
    folder = ROOT / ".cache" / "bench" / f"jetstow-{commit}"
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        with tempfile.TemporaryDirectory() as source:
            archive = Path(source) / "jetstow.tar"
            _run("git", "archive", "--output", str(archive), commit)
            _run("tar", "-xf", str(archive), "-C", source)
            pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
            _run(*pip, "wheel", "--no-deps", "--wheel-dir", f"{source}/dist", source)
            (wheel,) = Path(source, "dist").glob("*.whl")
            constraints = Path(source) / "constraints.txt"
            constraints.write_text(
                _run(sys.executable, "-m", "pip", "freeze", "--exclude-editable")
            )
            _run(*pip, "install", "--constraint", str(constraints), f"{wheel}[encryption]")
        stamp.touch()
    return python


def _run(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _natsio() -> ClientProgram:
    number = NATSIO.partition("==")[2]
    try:
        python = _natsio_environment()
    except (LookupError, subprocess.CalledProcessError) as error:
        return ClientProgram("natsio", number, [], missing=str(error))
    return _python("natsio", "natsio", number, str(python))


def _natsio_environment() -> Path:
    """Return the Python of an environment with natsio, and create it if it is missing.

    Raises: `LookupError` (no Python that natsio supports).
    """
    python, stamp = NATSIO_VENV / "bin" / "python", NATSIO_VENV / NATSIO
    if not stamp.exists():
        shutil.rmtree(NATSIO_VENV, ignore_errors=True)
        subprocess.run([_newer_python(), "-m", "venv", NATSIO_VENV], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-input", NATSIO], check=True)
        stamp.touch()
    return python


@functools.cache
def _newer_python() -> str:
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python"))
    found = [sys.executable, "python3.13", "python3.14", *map(str, pyenv)]
    test = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 13))"
    for candidate in filter(None, map(shutil.which, found)):
        # A pyenv shim exists for Python versions that are not installed, too.
        if subprocess.run([candidate, "-c", test], capture_output=True, check=False).returncode:
            continue
        return candidate
    raise LookupError("natsio needs Python 3.13, which is not installed")
