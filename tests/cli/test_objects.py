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


def test_objects_are_listed_by_name(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "b", "folder/c", "a", "目录/文件", "with a space")
    assert cli.out("ls", bucket) == "a\nb\nfolder/c\nwith a space\n目录/文件\n"
    assert cli.out("ls", f"{bucket}/") == cli.out("ls", bucket)
    assert cli.out("ls", f"{bucket}/f") == "folder/c\n"
    assert [each["name"] for each in cli.json("ls", f"{bucket}/目录/")] == ["目录/文件"]


def test_a_long_list_has_sizes_and_times(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/big", stdin=bytes(2048))
    put(cli, bucket, "a")
    cli.run("ln", f"{bucket}/a", f"{bucket}/link")
    heading, *rows = cli.out("ls", "-l", bucket).splitlines()
    assert heading.split() == ["SIZE", "MODIFIED", "NAME"]
    assert [row[:7] for row in rows] == ["    1 B", "2.0 KiB", "      -"]
    assert rows[2].endswith(f"  link -> {bucket}/a")
    assert "\x1b" not in "".join(rows)


def test_nothing_is_listed_as_nothing(cli: Cli, bucket: str) -> None:
    assert cli.out("ls", bucket) == cli.out("ls", "-l", bucket) == ""
    assert cli.json("ls", bucket) == []


def test_deleted_objects_are_listed_if_asked_for(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    cli.run("rm", f"{bucket}/a")
    assert cli.out("ls", bucket) == "b\n"
    assert cli.out("ls", "--deleted", bucket) == "a (deleted)\nb\n"
    assert [each["deleted"] for each in cli.json("ls", "--deleted", bucket)] == [True, False]


def test_a_name_cannot_draw_on_the_terminal(cli: Cli, bucket: str) -> None:
    name = "evil\x1b[31m\nname"
    put(cli, bucket, name)
    assert cli.out("ls", bucket) == "evil\\x1b[31m\\nname\n"
    assert cli.json("ls", bucket)[0]["name"] == name
    assert cli.out("cat", f"{bucket}/{name}") == name


# -- info --------------------------------------------------------------------------------


def test_info_tells_everything(cli: Cli, bucket: str) -> None:
    cli.run(
        "put", "-", f"{bucket}/a", "--description", "what it is", "--header", "Kind=text",
        "--header", "Kind=more", "--metadata", "owner=me", "--chunk-size", "4", stdin=b"123456789",
    )  # fmt: skip
    found = cli.json("info", f"{bucket}/a")
    assert (found["size"], found["chunks"], found["chunk_size"]) == (9, 3, 4)
    assert found["headers"] == {"Kind": ["text", "more"]}
    assert found["metadata"] == {"owner": "me"}
    assert found["digest"].startswith("SHA-256=")
    text = cli.out("info", f"{bucket}/a")
    assert "size         9 B (9 bytes)\n" in text
    assert "header       Kind: text\nheader       Kind: more\n" in text
    assert "chunks       3 of up to 4 B\n" in text
    assert cli.out("info", bucket) == cli.out("status", bucket)


def test_what_is_not_there_has_no_info(cli: Cli, bucket: str) -> None:
    error = cli.error(errors.NOT_FOUND, "info", f"{bucket}/a")
    assert error == f"there is no object 'a' in bucket {bucket!r}"
    assert "no bucket 'nowhere'" in cli.error(errors.NOT_FOUND, "info", "nowhere/a")


# -- rm ----------------------------------------------------------------------------------


def test_objects_are_removed_and_a_missing_one_stops_nothing(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b/c")
    result = cli.run("rm", f"{bucket}/a", f"{bucket}/x", f"{bucket}/b/c", code=errors.NOT_FOUND)
    assert result.stdout == f"{bucket}/a is removed\n{bucket}/b/c is removed\n"
    assert result.stderr == f"jetstow: there is no object 'x' in bucket {bucket!r}\n"
    assert cli.out("ls", bucket) == ""
    assert cli.chunks(bucket) == 0


def test_force_is_content_with_what_is_not_there(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a")
    assert cli.json("rm", "-f", f"{bucket}/x", f"{bucket}/a", "nowhere/x") == [
        {"bucket": bucket, "name": "a", "removed": True}
    ]
    cli.error(errors.NOT_FOUND, "rm", f"{bucket}/a")


# -- mv and ln ---------------------------------------------------------------------------


def test_an_object_gets_another_name(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", "--description", "kept", "--metadata", "k=v", stdin=b"bytes")
    assert cli.out("mv", f"{bucket}/a", f"{bucket}/b") == f"{bucket}/a is now {bucket}/b\n"
    assert cli.out("ls", "--deleted", bucket) == "b\n"
    (found,) = cli.json("mv", f"{bucket}/b", f"{bucket}/folder/")
    assert (found["name"], found["description"]) == ("folder/b", "kept")
    assert found["metadata"] == {"k": "v"}
    assert cli.out("cat", f"{bucket}/folder/b") == "bytes"


def test_a_name_is_not_taken_from_another_object(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    assert "exists" in cli.error(errors.CONFLICT, "mv", f"{bucket}/a", f"{bucket}/b")
    assert cli.out("cat", f"{bucket}/a", f"{bucket}/b") == "ab"
    cli.error(errors.NOT_FOUND, "mv", f"{bucket}/x", f"{bucket}/y")
    assert "another name" in cli.error(errors.USAGE, "mv", f"{bucket}/a", f"{bucket}/a")


def test_a_link_stands_for_an_object(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "folder/a")
    other = f"{bucket}-other"
    cli.run("mb", other)
    assert cli.out("ln", f"{bucket}/folder/a", f"{bucket}/l") == (
        f"{bucket}/l is a link to {bucket}/folder/a\n"
    )
    made = cli.json("ln", f"{bucket}/folder/a", other)
    assert (made["name"], made["link"]) == ("a", {"bucket": bucket, "name": "folder/a"})
    assert cli.out("cat", f"{bucket}/l", f"{other}/a") == "folder/afolder/a"
    assert f"link to   {bucket}/folder/a\n" in cli.out("info", f"{bucket}/l")
    assert "link" in cli.error(errors.ERROR, "ln", f"{bucket}/l", f"{bucket}/m")
    cli.error(errors.NOT_FOUND, "ln", f"{bucket}/x", f"{bucket}/m")


def test_a_link_stands_for_a_bucket(cli: Cli, bucket: str) -> None:
    other = f"{bucket}-other"
    cli.run("mb", other)
    assert cli.json("ln", other, f"{bucket}/all")["link"] == {"bucket": other, "name": None}
    cli.run("ln", other, f"{bucket}/links/")
    assert cli.out("ls", bucket) == f"all -> {other}\nlinks/{other} -> {other}\n"
    assert "bucket" in cli.error(errors.ERROR, "get", f"{bucket}/all")
    cli.error(errors.NOT_FOUND, "ln", "nowhere", f"{bucket}/m")


# -- watch -------------------------------------------------------------------------------


def test_watching_begins_with_what_is_there(cli: Cli, bucket: str) -> None:
    put(cli, bucket, "a", "b")
    cli.run("rm", f"{bucket}/a")
    rows = [row.split() for row in cli.out("watch", bucket, "--count", "2").splitlines()]
    assert [row[2:] for row in rows] == [["updated", "1", "B", "b"], ["deleted", "-", "a"]]
    assert cli.out("watch", bucket, "-n", "1", "--ignore-deletes").endswith("  b\n")
    assert cli.out("watch", bucket, "-n", "0") == ""


def test_a_bucket_that_is_not_there_cannot_be_watched(cli: Cli, bucket: str) -> None:
    assert "no bucket" in cli.error(errors.NOT_FOUND, "watch", f"{bucket}-x")
