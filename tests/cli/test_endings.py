"""How a call ends that does not run to its end, and what it leaves behind."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from nats.aio.client import Client

from tests.cli.conftest import JETSTOW, Call
from tests.support import underneath
from tests.support.samples import some_bytes


async def test_ctrl_c_in_a_put_leaves_nothing_and_ends_with_130(
    jetstow: Call, environment: dict[str, str], made: str, raw: Client
) -> None:
    with subprocess.Popen(
        [str(JETSTOW), "put", "-", f"{made}/a"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as put:  # fmt: skip
        assert put.stdin is not None
        # Larger than all that a pipe holds: once this is written, the put is under way, and
        # then its thread waits in a read that nothing will ever end.
        put.stdin.write(some_bytes(4_000_000))
        put.stdin.flush()
        put.send_signal(signal.SIGINT)
        assert put.wait(timeout=30) == 130
        assert put.stderr is not None
        assert b"Traceback" not in put.stderr.read()
    assert await underneath.subjects(raw, made) == {}


def test_a_reader_that_leaves_early_is_no_error(
    jetstow: Call, environment: dict[str, str], made: str
) -> None:
    jetstow("put", "-", f"{made}/a", stdin=some_bytes(3_000_000))
    done = subprocess.run(
        ["bash", "-c", f'"{JETSTOW}" cat "{made}/a" | head --bytes 1 | wc --bytes'],
        capture_output=True, check=False, env=environment, timeout=50,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (b"1", b"")


def test_a_get_that_fails_leaves_the_old_file(jetstow: Call, work: Path, made: str) -> None:
    (work / "a").write_bytes(b"old")
    assert jetstow("get", f"{made}/a").code == 3
    assert (work / "a").read_bytes() == b"old"
    assert [path.name for path in work.iterdir()] == ["a"]


def test_without_a_server_it_runs_one_and_stops_it(jetstow: Call, tmp_path: Path) -> None:
    assert jetstow("mb", "b", NATS_URL="").code == 0
    assert [entry["bucket"] for entry in jetstow("ls", "--json", NATS_URL="").json] == ["b"]
    status = jetstow("server", "status", "--json", NATS_URL="")
    assert status.json["running"] is False
    assert (tmp_path / "home" / "jetstream").is_dir()


def test_demo_tells_the_story(jetstow: Call) -> None:
    done = jetstow("demo", NATS_URL="")
    assert done.code == 0, done.err
    assert done.err == ""
    lines = done.lines
    assert "(embedded)" in lines[0]
    assert lines.count("read 131072 bytes") == 76
    assert lines.count("read 38528 bytes") == 1
    story = [line for line in lines[2:] if not line.startswith("read 1")]
    assert story == [
        "bucket configs holds 0 bytes",
        "stored a: 10000000 bytes",
        "stored b: 10000000 bytes, 'large data'",
        "b is now described as 'still large data'",
        "bucket configs has 2 objects",
        "read b: 10000000 bytes",
        "one message may have 1048576 bytes",
        "configs changed - a was updated",
        "configs changed - b was updated",
        "configs changed - a was deleted",
        "stored c: 10000000 bytes, 'from a buffer'",
        "configs changed - c was updated",
        "c has 10000000 bytes",
        "read 38528 bytes",
        "deleted bucket configs",
    ]
    assert jetstow("ls", "--json", NATS_URL="").json == []


def test_completion_knows_buckets_and_objects(jetstow: Call, made: str) -> None:
    jetstow("put", "-", f"{made}/report", stdin=b"x")
    completed = jetstow(
        _JETSTOW_COMPLETE="complete_bash", COMP_WORDS=f"jetstow cat {made}/re", COMP_CWORD="2"
    )
    assert completed.lines == [f"{made}/report"]
    silent = jetstow(
        _JETSTOW_COMPLETE="complete_bash", COMP_WORDS="jetstow cat x", COMP_CWORD="2", NATS_URL=""
    )
    assert (silent.out.strip(), silent.err) == (b"", "")
