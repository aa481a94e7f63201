"""ls, info, rm, mv, ln, watch."""

from __future__ import annotations

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.servers import NatsServer


@pytest.fixture
def cli(server: NatsServer, bucket: str) -> Cli:
    cli = Cli(server)
    cli.run("mb", bucket)
    return cli


def put(cli: Cli, bucket: str, *names: str) -> None:
    for name in names:
        cli.run("put", "-", f"{bucket}/{name}", stdin=name.encode())


# -- ls ----------------------------------------------------------------------------------


def test_ls_sorted_by_name(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "b", "folder/c", "a", "目录/文件", "with a space")
    assert cli.out("ls", "-r", bucket) == "a\nb\nfolder/c\nwith a space\n目录/文件\n"
    assert cli.out("ls", bucket) == "a\nb\nfolder/\nwith a space\n目录/\n"
    assert cli.out("ls", f"{bucket}/") == cli.out("ls", bucket)
    assert [item["name"] for item in cli.json("ls", f"{bucket}/目录/")] == ["目录/文件"]


def test_ls_long(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/big", stdin=bytes(2048))
    put(cli, bucket, "a")
    cli.run("ln", f"{bucket}/a", f"{bucket}/link")
    heading, *rows = cli.out("ls", "-l", bucket).splitlines()
    assert heading.split() == ["SIZE", "MODIFIED", "NAME"]
    assert [row[:7] for row in rows] == ["    1 B", "2.0 KiB", "      -"]
    assert rows[2].endswith(f"  link -> {bucket}/a")
    assert "\x1b" not in "".join(rows)


def test_ls_of_an_empty_bucket(cli: Cli, bucket: str) -> None:
    assert cli.out("ls", bucket) == cli.out("ls", "-l", bucket) == ""
    assert cli.json("ls", bucket) == []


def test_ls_deleted(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    cli.run("rm", f"{bucket}/a")
    assert cli.out("ls", bucket) == "b\n"
    assert cli.out("ls", "--deleted", bucket) == "a (deleted)\nb\n"
    assert [item["deleted"] for item in cli.json("ls", "--deleted", bucket)] == [True, False]


def test_ls_escapes_control_characters(cli: Cli, bucket: str) -> None:
    name = "evil\x1b[31m\nname"
    put(cli, bucket, name)
    assert cli.out("ls", bucket) == "evil\\x1b[31m\\nname\n"
    assert cli.json("ls", bucket)[0]["name"] == name
    assert cli.out("cat", f"{bucket}/{name}") == name


# -- info --------------------------------------------------------------------------------


def test_info_of_an_object(cli: Cli, bucket: str) -> None:
    cli.run(
        "put", "-", f"{bucket}/a", "--description", "what it is", "--header", "Kind=text",
        "--header", "Kind=more", "--metadata", "owner=me", "--chunk-size", "4", stdin=b"123456789",
    )  # fmt: skip
    data = cli.json("info", f"{bucket}/a")
    assert (data["size"], data["chunks"], data["chunk_size"]) == (9, 3, 4)
    assert data["headers"] == {"Kind": ["text", "more"]}
    assert data["metadata"] == {"owner": "me"}
    assert data["digest"].startswith("SHA-256=")
    text = cli.out("info", f"{bucket}/a")
    assert "size         9 B (9 bytes)\n" in text
    assert "header       Kind: text\nheader       Kind: more\n" in text
    assert "chunks       3 of up to 4 B\n" in text
    assert cli.out("info", bucket) == cli.out("status", bucket)


def test_info_of_a_missing_object(cli: Cli, bucket: str) -> None:
    error = cli.error(errors.NOT_FOUND, "info", f"{bucket}/a")
    assert error == f"there is no object 'a' in bucket {bucket!r}"
    assert "no bucket 'nowhere'" in cli.error(errors.NOT_FOUND, "info", "nowhere/a")


# -- rm ----------------------------------------------------------------------------------


def test_rm_goes_on_after_a_missing_object(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b/c")
    result = cli.run("rm", f"{bucket}/a", f"{bucket}/x", f"{bucket}/b/c", code=errors.NOT_FOUND)
    assert result.stdout == f"deleted {bucket}/a\ndeleted {bucket}/b/c\n"
    assert result.stderr == f"jetstow: there is no object 'x' in bucket {bucket!r}\n"
    assert cli.out("ls", bucket) == ""
    assert cli.chunks(bucket) == 0


def test_rm_force(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a")
    assert cli.json("rm", "-f", f"{bucket}/x", f"{bucket}/a", "nowhere/x") == [
        {"bucket": bucket, "name": "a", "removed": True}
    ]
    cli.error(errors.NOT_FOUND, "rm", f"{bucket}/a")


# -- mv and ln ---------------------------------------------------------------------------


def test_mv_renames_within_a_bucket(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", "--description", "kept", "--metadata", "k=v", stdin=b"bytes")
    assert cli.out("mv", f"{bucket}/a", f"{bucket}/b") == f"moved {bucket}/a to {bucket}/b\n"
    assert cli.out("ls", "--deleted", bucket) == "a (deleted)\nb\n"
    (moved,) = cli.json("mv", f"{bucket}/b", f"{bucket}/folder/")
    assert (moved["name"], moved["description"]) == ("folder/b", "kept")
    assert moved["metadata"] == {"k": "v"}
    assert cli.out("cat", f"{bucket}/folder/b") == "bytes"


def test_mv_does_not_replace_an_object(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    assert "exists" in cli.error(errors.CONFLICT, "mv", f"{bucket}/a", f"{bucket}/b")
    assert cli.out("cat", f"{bucket}/a", f"{bucket}/b") == "ab"
    cli.error(errors.NOT_FOUND, "mv", f"{bucket}/x", f"{bucket}/y")
    assert "both source and target" in cli.error(errors.USAGE, "mv", f"{bucket}/a", f"{bucket}/a")


def test_ln_to_an_object(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "folder/a")
    other = f"{bucket}-other"
    cli.run("mb", other)
    assert cli.out("ln", f"{bucket}/folder/a", f"{bucket}/l") == (
        f"{bucket}/l links to {bucket}/folder/a\n"
    )
    link = cli.json("ln", f"{bucket}/folder/a", other)
    assert (link["name"], link["link"]) == ("a", {"bucket": bucket, "name": "folder/a"})
    assert cli.out("cat", f"{bucket}/l", f"{other}/a") == "folder/afolder/a"
    assert f"link to   {bucket}/folder/a\n" in cli.out("info", f"{bucket}/l")
    assert "link" in cli.error(errors.ERROR, "ln", f"{bucket}/l", f"{bucket}/m")
    cli.error(errors.NOT_FOUND, "ln", f"{bucket}/x", f"{bucket}/m")


def test_ln_to_a_bucket(cli: Cli, bucket: str) -> None:
    other = f"{bucket}-other"
    cli.run("mb", other)
    assert cli.json("ln", other, f"{bucket}/all")["link"] == {"bucket": other, "name": None}
    cli.run("ln", other, f"{bucket}/links/")
    assert cli.out("ls", "-r", bucket) == f"all -> {other}\nlinks/{other} -> {other}\n"
    assert "bucket" in cli.error(errors.ERROR, "get", f"{bucket}/all")
    cli.error(errors.NOT_FOUND, "ln", "nowhere", f"{bucket}/m")


# -- watch -------------------------------------------------------------------------------


def test_watch_begins_with_existing_objects(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    cli.run("rm", f"{bucket}/a")
    rows = [row.split() for row in cli.out("watch", bucket, "--count", "2").splitlines()]
    assert [row[2:] for row in rows] == [["current", "1", "B", "b"], ["deleted", "-", "a"]]
    assert cli.out("watch", bucket, "--count", "1", "--ignore-deletes").endswith("  b\n")
    assert cli.out("watch", bucket, "--count", "0") == ""


def test_watch_of_a_missing_bucket(cli: Cli, bucket: str) -> None:
    assert "no bucket" in cli.error(errors.NOT_FOUND, "watch", f"{bucket}-x")
