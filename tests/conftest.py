"""Fixtures of all tests: a real server, a connection to it, a new bucket.

`JETSTOW_TEST_SERVERS` names the server versions: `2.15.1,2.9.10`, or `all`. `JETSTOW_TEST_PATHS`
names the paths to the server (`tests/support/paths.py`). Markers select the versions and paths of
a test; `tests/live`, `tests/interop` and `tests/faults` set defaults in their `conftest.py`.
tests/README.md describes the markers.
"""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import os
import signal
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nats
import pytest
from hypothesis import HealthCheck, settings

from tests.support import paths, versions
from tests.support.servers import NatsServer, version_key

if TYPE_CHECKING:
    from nats.aio.client import Client

    import jetstow

# A parent process may ignore signals (a background job of a shell, nohup), and children inherit
# that. A process that a test interrupts would then never end.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

# No deadline: the duration of an example depends on the machine.
settings.register_profile(
    "jetstow",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("jetstow")


# -- versions and paths ------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test by server version and path, as its markers select them."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    selected = sorted(versions.selected(), key=version_key, reverse=True)
    other_paths = _other_paths(metafunc, marks) if selected[0] == versions.LATEST else ()
    if "server" in metafunc.fixturenames:
        runs = [(version, "") for version in _versions(selected, marks)]
        runs += [(selected[0], path) for path in other_paths]
        ids = ["-".join(filter(None, run)) for run in runs]
        slow = _slow_versions(metafunc, marks, runs)
        params = [
            pytest.param(*run, marks=[pytest.mark.slow] if run[0] in slow else []) for run in runs
        ]
        metafunc.parametrize(("server", "_path"), params, indirect=True, ids=ids, scope="session")
    elif other_paths:
        ids = ["best", *other_paths]
        metafunc.parametrize("_path", ["", *other_paths], indirect=True, ids=ids, scope="session")


def _versions(selected: list[str], marks: set[str]) -> list[str]:
    """Of the selected versions, newest first, those that a test runs on."""
    if "every_version" in marks:
        return selected
    if "distinct_versions" in marks:
        return [each for each in selected if versions.EQUIVALENT.get(each) not in selected]
    if "first_and_last_version" in marks:
        return list(dict.fromkeys((selected[0], selected[-1])))
    return selected[:1]


def _slow_versions(
    metafunc: pytest.Metafunc, marks: set[str], runs: list[tuple[str, str]]
) -> set[str]:
    """The versions that a test with `distinct_versions` runs on in `make test-full` only.

    `make test` runs it on the newest and on one of the others.
    """
    older = list(dict.fromkeys(version for version, _ in runs))[1:]
    if "distinct_versions" not in marks or "every_version" in marks or not older:
        return set()
    older.pop(zlib.crc32(metafunc.definition.nodeid.encode()) % len(older))
    return set(older)


def _other_paths(metafunc: pytest.Metafunc, marks: set[str]) -> tuple[str, ...]:
    """The paths that a test runs on besides the best one."""
    if "every_path" not in marks or "one_path" in marks:
        return ()
    excluded = {
        path for mark in metafunc.definition.iter_markers("not_on_path") for path in mark.args
    }
    several_versions = "distinct_versions" in marks
    selected = paths.selected_for_several_versions() if several_versions else paths.selected()
    return tuple(path for path in selected if path not in excluded)


# Directories with long tests. They run before short ones, so that all workers end together.
LONG = ("model", "faults", "interop", "docs")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need a newer server (`min_server`). Those of `LONG` run first."""
    if deselected := [item for item in items if _needs_newer_server(item)]:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if not _needs_newer_server(item)]
    items.sort(key=lambda item: _folder(item) not in LONG)


def _needs_newer_server(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("min_server")
    if marker is None or not isinstance(item, pytest.Function):
        return False
    callspec = getattr(item, "callspec", None)
    version = callspec.params.get("server") if callspec else None
    return version is not None and version_key(version) < version_key(marker.args[0])


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


# -- reports -----------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Add the log of the shared server, and what a test waited for, to the report of a failure."""
    report = yield
    if call.excinfo is not None and "Timeout (>" in str(call.excinfo.value):
        report.sections.append(("asyncio tasks", _stacks_of_tasks()))
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, NatsServer):
        lines = [line for line in server.log if line not in server.startup_log]
        report.sections.append((f"nats-server {server.version}", "\n".join(lines[-40:])))
    return report


def _stacks_of_tasks() -> str:
    """Return where each task waits, of all event loops: of a test that hangs, the rest is idle."""
    text = io.StringIO()
    for task in [each for each in gc.get_objects() if isinstance(each, asyncio.Task)]:
        if not task.done():
            task.print_stack(file=text)
    return text.getvalue()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the operations, faults and seeds of the model test, also if it passed."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            properties = dict(getattr(report, "user_properties", ()))
            if "tally" in properties:
                seeds = f"seeds {properties['seeds'][0]} to {properties['seeds'][-1]}"
                terminalreporter.write_line(f"model: {properties['tally']}; {seeds}")


# -- servers -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _servers() -> Iterator[dict[str, NatsServer]]:
    """The servers of the session by version. Each starts on first use."""
    with ExitStack() as stack:
        yield _StartedOnDemand(stack)


class _StartedOnDemand(dict[str, NatsServer]):
    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        self._stack = stack

    def __missing__(self, version: str) -> NatsServer:
        self[version] = self._stack.enter_context(NatsServer(version))
        asyncio.run(_add_stream(self[version].url))
        return self[version]


async def _add_stream(url: str) -> None:
    """Create a stream that stays.

    With the last stream, the server removes the folder of the account, and fails to create a
    stream at the same moment (10049).
    """
    async with await nats.connect(url) as client:
        await client.jetstream().add_stream(name="KEEP", subjects=["keep"])


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, _servers: dict[str, NatsServer]) -> NatsServer:
    """A server that all tests share. A test that stops or breaks a server starts its own."""
    return _servers[request.param]


@pytest.fixture(scope="session")
def _path(request: pytest.FixtureRequest) -> str:
    """The path to the server, or "" for the best one that the server supports."""
    return getattr(request, "param", "")


@pytest.fixture(autouse=True)
def _select_path(_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if _path:
        paths.PATHS[_path](monkeypatch)


# -- connections and buckets -------------------------------------------------------------


@pytest.fixture
async def nc(server: NatsServer) -> AsyncIterator[jetstow.Client]:
    """A jetstow connection to `server`."""
    import jetstow

    client = await jetstow.connect(server.url)
    yield client
    await client.close()


@pytest.fixture
def js(nc: jetstow.Client) -> jetstow.JetStreamContext:
    return nc.jetstream()


@pytest.fixture
async def raw(server: NatsServer) -> AsyncIterator[Client]:
    """A plain nats-py connection, to inspect the stream without jetstow."""
    client = await nats.connect(server.url)
    yield client
    await client.close()


_numbers = itertools.count(1)


@pytest.fixture
def bucket() -> str:
    """The name of a bucket that does not exist."""
    return f"bucket-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
async def store(js: jetstow.JetStreamContext, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    """A new, empty object store."""
    from jetstow.errors import BucketNotFoundError

    created = await js.create_object_store(bucket)
    yield created
    with suppress(BucketNotFoundError):
        await js.delete_object_store(bucket)


@pytest.fixture
async def versioned(
    js: jetstow.JetStreamContext, bucket: str
) -> AsyncIterator[jetstow.ObjectStore]:
    """A new, empty bucket with versions."""
    yield await js.create_object_store(bucket, versioned=True)
    await js.delete_object_store(bucket)
