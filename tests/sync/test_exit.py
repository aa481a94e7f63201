"""Programs that never close anything end at once, with their own exit code and no noise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support import raw_stream
from tests.support.servers import NatsServer
from tests.sync.looking import look
from tests.sync.script import BEGIN, STRICT, Ended

OPEN = """
store = jetstow.connect().jetstream().create_object_store("{bucket}")
store.put("a", bytes(1_000_000))
stream, watcher, reader = store.stream("a"), store.watch(), store.open("a")
next(stream), next(watcher), reader.read(1)
writer = store.open("never", "wb")
writer.write(bytes(1_000_000))
"""

WAIT = "threading.Thread(target=next, args=[store.watch(updates_only=True)], daemon=True).start()"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("raise ValueError('mine')", 1, "ValueError: mine"),
        (WAIT, 0, ""),
    ],
    ids=["exit", "error", "waiting"],
)
def test_the_end_of_a_program(
    script: Callable[..., Ended],
    server: NatsServer,
    bucket: str,
    end: str,
    code: int,
    said: str,
) -> None:
    ended = script(OPEN.format(bucket=bucket) + end)
    last = ended.err.strip().rpartition("\n")[2]
    assert (ended.code, ended.out, last) == (code, "", said)
    assert ended.err.count("Traceback") == bool(said)
    assert list(look(server, raw_stream.names, bucket)) == ["a"]
    assert sum(look(server, raw_stream.chunks, bucket).values()) == 8


def test_threads_finish_their_work_first(script: Callable[..., Ended], bucket: str) -> None:
    ended = script(
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
    assert (ended.code, ended.out, ended.err) == (0, "21\n", "")


def test_a_program_that_only_imports(script: Callable[..., Ended]) -> None:
    ended = script("print(threading.active_count())")
    assert (ended.code, ended.out, ended.err) == (0, "1\n", "")


def test_the_embedded_server(tmp_path: str) -> None:
    program = BEGIN + (
        "nc = jetstow.connect()\n"
        "store = nc.jetstream().create_object_store('a')\n"
        "store.put('a', b'1'); print(store.get('a').data)\n"
        "pid = os.fork()\n"
        "if pid == 0: print(store.get('a').data); sys.exit()\n"
        "os.waitpid(pid, 0); print(store.get('a').data)\n"
    )
    env = {key: value for key, value in os.environ.items() if key != "NATS_URL"}
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), **STRICT}
    env |= home | {"JETSTOW_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, timeout=25, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"b'1'\n" * 3, b"")
