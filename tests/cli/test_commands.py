"""Each command does what it says, prints what people and programs can read, and no more."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.support.samples import digest_of, some_bytes

DATA = some_bytes(300_000)


def test_a_file_goes_in_and_comes_out(jetstow: Call, work: Path, made: str) -> None:
    (work / "photo.jpg").write_bytes(DATA)
    put = jetstow("put", "photo.jpg", f"{made}/2026/")
    assert put.code == 0, put.err
    assert f"{made}/2026/photo.jpg" in put.text
    assert jetstow("get", f"{made}/2026/photo.jpg", "copy.jpg").code == 0
    assert (work / "copy.jpg").read_bytes() == DATA
    (work / "photo.jpg").unlink()
    assert jetstow("get", f"{made}/2026/photo.jpg").code == 0
    assert (work / "photo.jpg").read_bytes() == DATA, "under the last part of its name, here"


def test_pipes_carry_bytes_both_ways(jetstow: Call, made: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    assert jetstow("put", "-", f"{made}/src.tar", stdin=archive.getvalue()).code == 0
    for arguments in (("cat", f"{made}/src.tar"), ("get", f"{made}/src.tar", "-")):
        done = jetstow(*arguments)
        assert done.out == archive.getvalue()
        assert done.err == "", "no progress bar in a pipe"


def test_names_of_any_kind(jetstow: Call, made: str) -> None:
    for name in ("with space", "größe/数", "a/b/c", "-dash", "per%cent"):
        assert jetstow("put", "-", f"{made}/{name}", stdin=b"x").code == 0
        assert jetstow("cat", f"{made}/{name}").out == b"x"
    found = {entry["name"] for entry in jetstow("ls", made, "--json").json}
    assert found == {"with space", "größe/数", "a/b/c", "-dash", "per%cent"}
    assert [entry["name"] for entry in jetstow("ls", f"{made}/a/", "--json").json] == ["a/b/c"]


def test_listings_are_sorted_and_plain_in_a_pipe(jetstow: Call, made: str) -> None:
    for name in ("b", "a", "c"):
        jetstow("put", "-", f"{made}/{name}", stdin=b"12345")
    assert [line.split()[-1] for line in jetstow("ls", made).lines] == ["a", "b", "c"]
    long = jetstow("ls", "-l", made)
    assert "\x1b" not in long.text
    assert made in jetstow("ls").text
    assert made in [entry["bucket"] for entry in jetstow("buckets", "--json").json]


def test_info_tells_everything_exactly_in_json(jetstow: Call, work: Path, made: str) -> None:
    (work / "f").write_bytes(DATA)
    options = ["--description", "large data", "--header", "k=v", "--metadata", "a=b"]
    jetstow("put", "f", f"{made}/f", *options, "--chunk-size", "64K")
    info = jetstow("info", f"{made}/f", "--json").json
    assert (info["size"], info["chunks"], info["digest"]) == (300_000, 5, digest_of(DATA))
    assert info["description"] == "large data"
    assert (info["headers"], info["metadata"]) == ({"k": ["v"]}, {"a": "b"})
    people = jetstow("info", f"{made}/f").text
    assert "large data" in people
    assert max(map(len, people.splitlines())) <= 80


def test_objects_are_renamed_linked_and_removed(jetstow: Call, made: str, bucket: str) -> None:
    jetstow("put", "-", f"{made}/a", stdin=DATA)
    assert jetstow("mv", f"{made}/a", f"{made}/b").code == 0
    assert jetstow("ln", f"{made}/b", f"{made}/link").code == 0
    assert jetstow("cat", f"{made}/link").out == DATA
    assert jetstow("rm", f"{made}/b", f"{made}/link").code == 0
    assert jetstow("ls", made).text == ""
    deleted = {entry["name"] for entry in jetstow("ls", made, "--deleted", "--json").json}
    assert deleted == {"b", "link"}


def test_moving_to_another_bucket_says_what_to_do_instead(jetstow: Call, made: str) -> None:
    jetstow("put", "-", f"{made}/a", stdin=b"x")
    done = jetstow("mv", f"{made}/a", "elsewhere/a")
    assert done.code == 2
    assert "put" in done.err or "copy" in done.err
    assert jetstow("cat", f"{made}/a").out == b"x"


def test_a_bucket_is_made_described_sealed_and_removed(jetstow: Call, bucket: str) -> None:
    made = jetstow("mb", bucket, "--description", "d", "--ttl", "30d", "--max-bytes", "1G")
    assert made.code == 0, made.err
    status = jetstow("status", bucket, "--json").json
    assert status["description"] == "d"
    assert status["ttl"] == 30 * 86400
    assert status["max_bytes"] == 1024**3
    jetstow("put", "-", f"{bucket}/a", stdin=b"x")
    assert jetstow("rb", bucket).code == 2, "not empty, and nobody to ask"
    assert jetstow("seal", bucket).code == 2
    assert jetstow("seal", bucket, "--yes").code == 0
    assert jetstow("put", "-", f"{bucket}/a", stdin=b"x").code == 4
    assert jetstow("rb", bucket, "--yes").code == 0
    assert jetstow("status", bucket).code == 3


def test_watch_tells_changes_as_json_lines(jetstow: Call, made: str) -> None:
    jetstow("put", "-", f"{made}/a", stdin=b"x")
    jetstow("put", "-", f"{made}/b", stdin=b"x")
    jetstow("rm", f"{made}/a")
    done = jetstow("watch", made, "--count", "2", "--json")
    import json

    changes = [json.loads(line) for line in done.lines]
    assert [(change["name"], change["deleted"]) for change in changes] == [
        ("b", False),
        ("a", True),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("cat", "{made}/none"), 3, "there is no object 'none' in bucket"),
        (("ls", "no-such-bucket"), 3, "there is no bucket 'no-such-bucket'"),
        (("put", "none.txt", "{made}/"), 3, "none.txt"),
        (("mb", "not allowed"), 2, "not allowed"),
        (("put", "-", "{made}/a", "--if-revision", "7"), 4, "revision"),
        (("put", "-", "{made}/a", "--chunk-size", "1G"), 2, "max_chunk_size"),
        (("ls", "--server", "nats://127.0.0.1:1"), 6, "cannot connect"),
        (("cat", "{made}"), 2, ""),
        (("ls", "--no-such-option"), 2, ""),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(
    jetstow: Call, made: str, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = jetstow(*(argument.format(made=made) for argument in arguments))
    assert done.code == code, done.err
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == b""
