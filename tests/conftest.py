"""What every test may ask for: a real server, a connection to it, a bucket of its own.

`JETSTOW_TEST_SERVERS` names the server versions: `2.15.1,2.9.10`, or `all`. The tests in
`live` run once on each, those in `interop` on the latest and the oldest of them (a format has
no version), the others on the latest. Of two versions that can do the same, the older one has
some of those in `live` only. `JETSTOW_TEST_PATHS` names the paths (`tests/support/paths.py`)
on which those in `live` and `faults` run besides.
"""

from __future__ import annotations

import itertools
import os
import signal
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

HERE = Path(__file__).parent
EVERYWHERE = {HERE / "live"}
# What a server has the most to do with: also on those that can do what another one can.
ON_EACH = {
    HERE / "live" / f"test_{name}.py"
    for name in ("buckets", "direct_get", "get", "list", "put", "range", "ttl", "watch")
}
FIRST_AND_LAST = {HERE / "interop"}
BY_EVERY_PATH = {HERE / "live", HERE / "faults"}
# Where it makes no difference which way the bytes go, or where that is tested below.
NO_TRANSFERS = {
    HERE / "live" / "connecting",
    HERE / "live" / "embedded",
    *(
        HERE / "live" / f"test_{name}.py"
        for name in (
            "backup", "bucket_options", "buckets", "changed_while_read", "closing",
            "collect_garbage", "conditions", "copy", "damage", "encryption", "find",
            "hostile_names", "hostile_objects", "links", "mirror", "open", "open_write",
            "range_rounds", "readme", "remains", "restore", "seal", "ttl", "types", "update_meta",
            "verify",
        )
    ),
    HERE / "faults" / "test_archives.py",
    HERE / "faults" / "test_moving_races.py",
    HERE / "faults" / "test_permissions.py",
    HERE / "faults" / "test_the_kit.py",
}  # fmt: skip

# What starts the tests may ignore some (a shell's background, nohup), and so would they and all
# that they start: what a test interrupts would never end.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

# How long an example takes says something of the machine, not of the code.
settings.register_profile(
    "jetstow",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("jetstow")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folders = {metafunc.definition.path, *metafunc.definition.path.parents}
    selected = sorted(versions.selected(), key=version_key, reverse=True)
    besides = _paths(metafunc, folders) if selected[0] == versions.LATEST else ()
    if "server" in metafunc.fixturenames:
        chosen = selected[:1]
        if EVERYWHERE & folders:
            chosen = selected if ON_EACH & folders else _told_apart(selected)
        elif FIRST_AND_LAST & folders:
            chosen = list(dict.fromkeys((selected[0], selected[-1])))
        runs = [(version, "") for version in chosen] + [(selected[0], path) for path in besides]
        ids = ["-".join(filter(None, run)) for run in runs]
        metafunc.parametrize(("server", "_path"), runs, indirect=True, ids=ids, scope="session")
    elif besides:
        ids = ["best", *besides]
        metafunc.parametrize("_path", ["", *besides], indirect=True, ids=ids, scope="session")


def _told_apart(selected: list[str]) -> list[str]:
    """The versions without those that can do what another one of them can."""
    return [each for each in selected if versions.LIKE.get(each) not in selected]


def _paths(metafunc: pytest.Metafunc, folders: set[Path]) -> tuple[str, ...]:
    if not BY_EVERY_PATH & folders or NO_TRANSFERS & folders:
        return ()
    left_out = {
        name for marker in metafunc.definition.iter_markers("not_on") for name in marker.args
    }
    asked = paths.selected() if HERE / "faults" in folders else paths.of_no_version()
    return tuple(path for path in asked if path not in left_out)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the server cannot do yet: such a test does not exist there."""
    too_early = [item for item in items if _begins_after(item)]
    if too_early:
        config.hook.pytest_deselected(items=too_early)
        items[:] = [item for item in items if not _begins_after(item)]


def _begins_after(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("min_server")
    if marker is None or not isinstance(item, pytest.Function):
        return False
    callspec = getattr(item, "callspec", None)
    version = callspec.params.get("server") if callspec else None
    return version is not None and version_key(version) < version_key(marker.args[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Puts the log of the session's server into the report of a failure."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, NatsServer):
        said = [line for line in server.log if line not in server.greeting]
        report.sections.append((f"nats-server {server.version}", "\n".join(said[-40:])))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what the model has gone through, also where all went well."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            told = dict(getattr(report, "user_properties", ()))
            if "tally" in told:
                seeds = f"seeds {told['seeds'][0]} to {told['seeds'][-1]}"
                terminalreporter.write_line(f"model: {told['tally']}; {seeds}")


# -- servers -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _servers() -> Iterator[dict[str, NatsServer]]:
    """The session's servers by version: each is started once and kept until the end."""
    with ExitStack() as stack:
        yield _StartedOnDemand(stack)


class _StartedOnDemand(dict[str, NatsServer]):
    def __init__(self, stack: ExitStack) -> None:
        super().__init__()
        self._stack = stack

    def __missing__(self, version: str) -> NatsServer:
        self[version] = self._stack.enter_context(NatsServer(version))
        return self[version]


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, _servers: dict[str, NatsServer]) -> NatsServer:
    """A server that all tests share. A test that stops or breaks one starts its own."""
    return _servers[request.param]


@pytest.fixture(scope="session")
def _path(request: pytest.FixtureRequest) -> str:
    """The path that the test takes, or nothing for the server's best one."""
    return getattr(request, "param", "")


@pytest.fixture(autouse=True)
def _take_the_path(_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
    """A plain nats-py connection, to look underneath."""
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
