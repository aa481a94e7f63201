"""sync keeps modification times and modes, and compares names in Unicode normal form."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli

MTIME = 1_500_000_000_123_456_789

NFC = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
NFD = unicodedata.normalize("NFD", NFC)


@pytest.fixture
def script(cli: Cli) -> Path:
    """A file in the folder `in`."""
    path = Path("in/script")
    path.parent.mkdir()
    path.write_text("#!/bin/sh")
    path.chmod(0o750)
    os.utime(path, ns=(MTIME, MTIME))
    return path


def attributes(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_mtime_ns, status.st_mode & 0o7777


def test_round_trip(cli: Cli, bucket: str, script: Path) -> None:
    cli.run("sync", "./in", bucket)
    assert cli.json("info", f"{bucket}/script")["metadata"] == {
        "mode": "0750", "mtime": "2017-07-14T02:40:00.123456789Z",
    }  # fmt: skip
    cli.run("sync", bucket, "./out")
    assert attributes("out/script") == (MTIME, 0o750)
    for arguments in (("./in", bucket), ("./out", bucket), (bucket, "./out")):
        assert cli.out("sync", *arguments) == "copied 0 files (0 B), 1 unchanged\n"


def test_changed_attributes_only(cli: Cli, bucket: str, script: Path) -> None:
    cli.run("put", "in/script", f"{bucket}/", "--tag", "t", "--metadata", "k=v")
    assert cli.out("sync", "./in", bucket, "-n") == (
        "would update script\nwould copy 0 files (0 B), update 1, 0 unchanged\n"
    )
    assert "mode" not in cli.json("info", f"{bucket}/script")["metadata"]
    assert cli.json("sync", "./in", bucket)["updated"] == ["script"]
    info = cli.json("info", f"{bucket}/script")
    assert (info["metadata"]["mode"], info["metadata"]["k"], info["tags"]) == ("0750", "v", ["t"])
    cli.run("sync", bucket, "./out")
    script.chmod(0o600)
    assert cli.json("sync", "./in", bucket)["updated"] == ["script"]
    assert cli.json("sync", bucket, "./out", "-n")["updated"] == ["script"]
    assert attributes("out/script") == (MTIME, 0o750)
    assert cli.out("sync", bucket, "./out") == "copied 0 files (0 B), updated 1, 0 unchanged\n"
    assert attributes("out/script") == (MTIME, 0o600)
    os.utime(script, ns=(MTIME + 10**9, MTIME + 10**9))  # file systems round times
    assert cli.json("sync", "./in", bucket)["unchanged"] == 1


def test_replaced_object_keeps_its_metadata(cli: Cli, bucket: str, script: Path) -> None:
    cli.run("put", "in/script", f"{bucket}/", "--metadata", "k=v")
    script.write_text("#!/bin/bash")
    os.utime(script, ns=(MTIME, MTIME))
    cli.run("sync", "./in", bucket)
    assert cli.json("info", f"{bucket}/script")["metadata"] == {
        "k": "v", "mode": "0750", "mtime": "2017-07-14T02:40:00.123456789Z",
    }  # fmt: skip


def test_write_protected_files(cli: Cli, bucket: str, script: Path) -> None:
    script.chmod(0o440)
    cli.run("sync", "./in", bucket)
    cli.run("sync", bucket, "./out")
    assert attributes("out/script")[1] == 0o440
    script.chmod(0o640)
    script.write_text("new")
    script.chmod(0o440)
    cli.run("sync", "./in", bucket)
    assert cli.json("sync", bucket, "./out")["copied"] == ["script"]
    assert (Path("out/script").read_text(), attributes("out/script")[1]) == ("new", 0o440)
    # The user, not sync, has protected this one.
    cli.run("put", "-", f"{bucket}/own", stdin=b"1")
    Path("out/own").write_text("mine")
    Path("out/own").chmod(0o400)
    assert "write-protected" in cli.run("sync", bucket, "./out", code=errors.REFUSED).stderr
    assert Path("out/own").read_text() == "mine"


def test_metadata_of_malicious_clients(cli: Cli, bucket: str) -> None:
    cli.run(
        "put", "-", f"{bucket}/a", "--metadata", "mode=6777",
        "--metadata", "mtime=9999-12-31T23:59:59Z", stdin=b"x",
    )  # fmt: skip
    cli.run("put", "-", f"{bucket}/b", "--metadata", "mode=x", "--metadata", "mtime=y", stdin=b"x")
    assert len(cli.json("sync", bucket, "./out")["copied"]) == 2
    assert attributes("out/a")[1] == 0o777
    assert cli.json("sync", bucket, "./out")["unchanged"] == 2


def test_encrypted_objects(cli: Cli, bucket: str, script: Path) -> None:
    """The time of a file with the size of its object shows whether the bytes are the same."""
    cli.run("keygen", "key")
    key = ("--key-file", "key")
    cli.run("sync", "./in", bucket, *key)
    cli.run("sync", bucket, "./out", *key)
    assert attributes("out/script") == (MTIME, 0o750)
    assert cli.json("sync", bucket, "./out", *key)["unchanged"] == 1
    script.write_text("#!/bin/ks")
    cli.run("sync", "./in", bucket, *key)
    assert cli.json("sync", bucket, "./out", *key)["copied"] == ["script"]


# -- names -------------------------------------------------------------------------------


def test_upload_of_decomposed_names(cli: Cli, bucket: str) -> None:
    """A folder of macOS was stored a second time, and --delete removed the first objects."""
    for name in (f"{NFC}/{NFC}", f"{NFC}/b"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"1")
    Path("in", NFD).mkdir(parents=True)
    for name in (NFD, "b", "new"):
        Path("in", NFD, name).write_text("2")
    result = cli.json("sync", "./in", bucket, "--delete")
    assert (len(result["copied"]), result["removed"]) == (3, [])
    assert cli.out("ls", "-r", bucket).splitlines() == [f"{NFC}/b", f"{NFC}/{NFC}", f"{NFC}/new"]
    assert cli.out("cat", f"{bucket}/{NFC}/{NFC}") == "2"
    assert cli.json("sync", "./in", bucket, "--exclude", f"{NFC}/*")["unchanged"] == 0


def test_download_to_decomposed_names(cli: Cli, bucket: str) -> None:
    for name in (NFC, "new"):
        cli.run("put", "-", f"{bucket}/{NFC}/{name}", stdin=b"2")
    Path("out", NFD).mkdir(parents=True)
    Path("out", NFD, NFD).write_text("1")
    result = cli.json("sync", bucket, "./out", "--delete")
    assert (len(result["copied"]), result["removed"]) == (2, [])
    assert sorted(str(path) for path in Path("out").rglob("*") if path.is_file()) == [
        f"out/{NFD}/{NFD}", f"out/{NFD}/new",
    ]  # fmt: skip
    assert Path("out", NFD, NFD).read_text() == "2"
    assert cli.json("sync", bucket, "./out", "--delete")["unchanged"] == 2
