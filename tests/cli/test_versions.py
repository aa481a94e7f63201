"""mb --versioned, ls --versions, get, cat and rm --version, edit --restore-version."""

from __future__ import annotations

from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.one_path]


def put(cli: Cli, bucket: str, data: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=data.encode())


def test_versions(server: NatsServer, bucket: str, tmp_path: Path) -> None:
    cli = Cli(server)
    assert cli.json("mb", "--versioned", bucket)["versioning"] == "enabled"
    put(cli, bucket, "one")
    put(cli, bucket, "three")
    cli.run("rm", f"{bucket}/a")
    versions = cli.json("ls", "--versions", f"{bucket}/a")
    assert [(item["size"], item["deleted"]) for item in versions] == [
        (0, True), (5, False), (3, False),
    ]  # fmt: skip
    marker, newer, older = (item["version"] for item in versions)
    heading, *rows = cli.out("ls", "--versions", bucket).splitlines()
    assert heading.split() == ["SIZE", "MODIFIED", "VERSION", "NAME"]
    assert marker in rows[0]
    assert rows[0].endswith("a (deleted)")
    assert cli.out("get", f"{bucket}/a", "-", "--version", older) == "one"
    cli.run("get", f"{bucket}/a", str(tmp_path / "a"), "--version", newer)
    assert (tmp_path / "a").read_text() == "three"
    planned = cli.out("rm", f"{bucket}/a", "--version", marker, "-n")
    assert planned == f"would delete version {marker} of {bucket}/a\n"
    cli.run("rm", f"{bucket}/a", "--version", marker)
    assert cli.out("cat", f"{bucket}/a") == "three"
    cli.run("edit", f"{bucket}/a", "--restore-version", older)
    assert cli.out("cat", f"{bucket}/a") == "one"
    error = cli.error(errors.NOT_FOUND, "rm", f"{bucket}/a", "--version", "unknown")
    assert f"there is no version 'unknown' of object 'a' in bucket {bucket!r}" in error
    assert cli.json("edit", bucket, "--suspend-versions")["versioning"] == "suspended"
