"""Programs that close nothing end without delay, output or a changed exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import raw_stream
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server
from tests.sync.script import BEGIN, STRICT, ProgramResult

RunProgram = Callable[[str], ProgramResult]

OPEN = """
store = jetstow.connect().jetstream().create_object_store("{bucket}")
store.put("a", bytes(1_000_000))
stream, watcher, reader = store.stream("a"), store.watch(), store.open("a")
next(stream), next(watcher), reader.read(1)
writer = store.open("never", "wb")
writer.write(bytes(1_000_000))
"""

WAIT = "threading.Thread(target=next, args=[store.watch(updates_only=True)], daemon=True).start()"


@pytest.fixture
def run_with_embedded_server(tmp_path: Path) -> RunProgram:
    """Run a program whose connections lead to an embedded server of this test."""
    env = {key: value for key, value in os.environ.items() if key != "NATS_URL"}
    folders = ("HOME", "XDG_CONFIG_HOME", "JETSTOW_HOME")
    env |= dict.fromkeys(folders, str(tmp_path)) | STRICT | {"PYTHONUNBUFFERED": "1"}

    def run(source: str) -> ProgramResult:
        ended = subprocess.run(
            [sys.executable, "-c", source],
            env=env, capture_output=True, text=True, timeout=25, check=False,
        )  # fmt: skip
        return ProgramResult(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('mine')", 1, "ValueError: mine"),
        (WAIT, 0, ""),
    ],
    ids=["exit", "error", "waiting"],
)
def test_program_end(
    script: Callable[..., ProgramResult],
    server: NatsServer,
    bucket: str,
    end: str,
    code: int,
    message: str,
) -> None:
    result = script(OPEN.format(bucket=bucket) + end)
    last = result.err.strip().rpartition("\n")[2]
    assert (result.code, result.out, last) == (code, "", message)
    assert result.err.count("Traceback") == bool(message)
    assert list(run_on_server(server, raw_stream.names, bucket)) == ["a"]
    assert sum(run_on_server(server, raw_stream.chunks, bucket).values()) == 8


def test_running_threads_complete(script: Callable[..., ProgramResult], bucket: str) -> None:
    result = script(
        OPEN.format(bucket=bucket)
        + """
gate = threading.Event()
def work():
    gate.wait()
    for n in range(20):
        store.put(f"by thread {n}", b"1")
    print(len(store.list()))
threading.Thread(target=work).start()
threading.main_thread()
gate.set()
"""
    )
    assert (result.code, result.out, result.err) == (0, "21\n", "")


def test_import_starts_no_thread(script: Callable[..., ProgramResult]) -> None:
    result = script("print(threading.active_count())")
    assert (result.code, result.out, result.err) == (0, "1\n", "")


def test_embedded_server_and_fork(run_with_embedded_server: RunProgram) -> None:
    ended = run_with_embedded_server(
        BEGIN + "nc = jetstow.connect()\n"
        "store = nc.jetstream().create_object_store('a')\n"
        "store.put('a', b'1'); print(store.get('a').data)\n"
        "pid = os.fork()\n"
        "if pid == 0: print(store.get('a').data); sys.exit()\n"
        "os.waitpid(pid, 0); print(store.get('a').data)\n"
    )
    assert (ended.code, ended.out, ended.err) == (0, "b'1'\n" * 3, "")


def test_embedded_server_stops_after_open_files_are_closed(
    run_with_embedded_server: RunProgram,
) -> None:
    """Closing an open file removes its chunks, for which the server must still run."""
    ended = run_with_embedded_server(
        BEGIN + "store = jetstow.connect().jetstream().create_object_store('a')\n"
        "writer = store.open('never', 'wb'); writer.write(bytes(1_000_000))\n"
    )
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    ended = run_with_embedded_server(
        BEGIN + "print(jetstow.connect().jetstream().object_store('a').status().size)"
    )
    assert (ended.code, ended.out, ended.err) == (0, "0\n", "")


def test_embedded_server_of_a_file_system(run_with_embedded_server: RunProgram) -> None:
    """The loop of fsspec never ends: its connection is open when the server stops."""
    ended = run_with_embedded_server(
        "from jetstow.fs import JetstowFileSystem\n"
        "fs = JetstowFileSystem()\n"
        "fs.mkdir('a'); fs.pipe_file('a/b', b'1'); print(fs.cat_file('a/b'))\n"
    )
    assert (ended.code, ended.out, ended.err) == (0, "b'1'\n", "")
