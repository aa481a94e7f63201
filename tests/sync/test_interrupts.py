"""Ctrl-C at any moment: the call cleans up, and the program can continue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.support import raw_stream
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server
from tests.sync.script import BEGIN, STRICT, ProgramResult


@pytest.fixture(autouse=True)
def _no_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that interrupts the tracer of coverage.py leaves its lock locked."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def test_ctrl_c_leaves_no_chunks(server: NatsServer, bucket: str) -> None:
    """A put that waits for its source, and a watcher that waits for a change."""
    program = BEGIN + (
        f"store = jetstow.connect('{server.url}').jetstream().create_object_store('{bucket}')\n"
        "def pieces():\n"
        "    yield bytes(3_000_000)\n"
        "    print('waiting', flush=True)\n"
        "    threading.Event().wait()\n"
        "try: store.put('a', pieces())\n"
        "except KeyboardInterrupt: print('once', flush=True)\n"
        "watcher = store.watch(updates_only=True)\n"
        "try:\n"
        "    print('waiting', flush=True)\n"
        "    next(watcher)\n"
        "except KeyboardInterrupt: print('twice', store.list(), flush=True)\n"
    )
    env = {**os.environ, **STRICT}
    command = [sys.executable, "-c", program]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if line == "waiting\n":
                    process.send_signal(signal.SIGINT)
            err = process.stderr.read()
        except BaseException:
            process.kill()  # `with` would wait for it
            raise
    assert (process.returncode, err) == (0, "")
    assert lines == ["waiting\n", "once\n", "waiting\n", "twice []\n"]
    assert run_on_server(server, raw_stream.chunks, bucket) == {}


def test_ctrl_c_at_random_moments(
    script: Callable[..., ProgramResult], server: NatsServer, bucket: str
) -> None:
    """No call hangs or leaves a chunk, and the connection can still be used."""
    result = script(f"""
import gc, random, signal
store = jetstow.connect().jetstream().create_object_store("{bucket}")
store.put("a", bytes(1_000_000))

def write():
    with store.open("w", "wb") as file:
        for _ in range(10):
            file.write(bytes(100_000))

def read():
    with store.open("a") as file:
        while file.read(100_000):
            pass

verbs = [
    write,
    read,
    lambda: store.put("p", (bytes(50_000) for _ in range(20))),
    lambda: store.put("q", bytes(500_000), progress=lambda *_: None),
    lambda: store.get("a"),
    lambda: list(store.stream("a")),
    lambda: next(store.watch()),
    store.list,
]
signal.signal(signal.SIGALRM, signal.default_int_handler)
chance, interrupted = random.Random(1), 0
for step in range(160):
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00001, 0.01))
        verbs[step % len(verbs)]()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        interrupted += 1
signal.setitimer(signal.ITIMER_REAL, 0)
gc.collect()
print(interrupted > 20, store.verify().ok, *(info.nuid for info in store.list()))
""")
    assert result.code == 0, result.err
    interrupted, whole, *nuids = result.out.split()
    assert (interrupted, whole) == ("True", "True")
    assert set(run_on_server(server, raw_stream.chunks, bucket)) == set(nuids)


def test_signal_handler_that_writes(script: Callable[..., ProgramResult], bucket: str) -> None:
    """A handler may write while the file sends what was written before."""
    result = script(f"""
import signal
store = jetstow.connect().jetstream().create_object_store("{bucket}")
handled = 0
with store.open("a", "wb") as file:
    def handle(*_):
        global handled
        handled += 1
        file.write(b"h")
    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    for _ in range(100):
        file.write(bytes(300_000))
    signal.setitimer(signal.ITIMER_REAL, 0)
data = store.get("a").data
print(handled > 0, data.count(b"h") == handled, len(data) == 30_000_000 + handled)
""")
    assert (result.out, result.code) == ("True True True\n", 0), result.err


def test_interrupted_write_of_buffered_bytes(
    script: Callable[..., ProgramResult], bucket: str
) -> None:
    """The buffer was emptied, the call had not begun, and `close` stored an object without it."""
    result = script(f"""
import signal
from jetstow.sync._portal import get_portal
store = jetstow.connect().jetstream().create_object_store("{bucket}")

def interrupt_before_the_call_begins(call):
    # The loop is blocked: it starts the call and cancels it in one step.
    blocked, signals = threading.Event(), []
    def handle(*_):
        signals.append(1)
        if len(signals) == 1:
            raise KeyboardInterrupt
        signal.setitimer(signal.ITIMER_REAL, 0)
        blocked.set()
    signal.signal(signal.SIGALRM, handle)
    get_portal().loop.call_soon_threadsafe(blocked.wait)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        call()
    except KeyboardInterrupt:
        pass

for call in (lambda: file.write(bytes(300_000)), lambda: file.digest):
    file = store.open("a", "wb")
    file.write(b"accepted")
    interrupt_before_the_call_begins(call)
    for then in (lambda: file.write(b"more"), lambda: file.digest, file.close):
        try:
            then()
        except ValueError as error:
            print(error)
    print(file.closed, store.exists("a"))
""")
    assert result.code == 0, result.err
    assert (
        result.out == ("object 'a' was aborted because a write failed\n" * 3 + "True False\n") * 2
    )
