"""`jetstow.testing`: the fixtures in a test session of a user, run as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
pytestmark = [pytest.mark.one_path, pytest.mark.slow]

CONFTEST = 'pytest_plugins = ["jetstow.testing"]\n'
SETTINGS = """
    [tool.pytest.ini_options]
    addopts = "-p no:cacheprovider --strict-markers"
    filterwarnings = ["error"]
    asyncio_mode = "auto"
    asyncio_default_fixture_loop_scope = "function"
"""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user with a `conftest.py`, and with a server in `NATS_URL` that no test may use."""
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("JETSTOW_HOME", "/nonexistent/home")
    pytester.makeconftest(CONFTEST)
    pytester.makepyprojecttoml(SETTINGS)
    return pytester


def run(user: pytest.Pytester, *options: str) -> pytest.RunResult:
    return user.runpytest_subprocess(*options, timeout=50)


def test_fixtures_store_and_isolate(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        import os

        import jetstow.sync

        seen = set()

        def check(store):
            assert not store.list()
            store.put("a", b"1")
            seen.add(store.bucket)

        def test_first(jetstow_store):
            check(jetstow_store)

        def test_second(jetstow_store, jetstow_bucket, jetstow_server):
            check(jetstow_store)
            assert len(seen) == 2
            assert jetstow_store.bucket == jetstow_bucket
            assert os.environ["NATS_URL"] == jetstow_server

        def test_program_without_arguments(jetstow_bucket):
            with jetstow.sync.connect() as nc:
                nc.jetstream().create_object_store("fixed-name")
                assert nc.jetstream().object_store(jetstow_bucket).bucket == jetstow_bucket

        def test_buckets_of_other_tests_are_deleted(jetstow_bucket):
            with jetstow.sync.connect() as nc:
                assert nc.jetstream().object_store_names() == [jetstow_bucket]
        """
    )
    run(user).assert_outcomes(passed=4)


def test_asynchronous_tests(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        import asyncio

        import jetstow
        import pytest

        async def program(bucket):
            async with jetstow.connect() as nc:
                store = await nc.jetstream().object_store(bucket)
                await store.put("a", b"1")
                return (await store.get("a")).data

        async def test_plugin_of_asyncio(jetstow_bucket):
            assert await program(jetstow_bucket) == b"1"

        @pytest.mark.anyio
        async def test_plugin_of_anyio(jetstow_bucket):
            assert await program(jetstow_bucket) == b"1"

        def test_without_a_plugin(jetstow_bucket):
            assert asyncio.run(program(jetstow_bucket)) == b"1"
        """
    )
    run(user).assert_outcomes(passed=3)


def test_each_worker_has_its_server(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        import pathlib

        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_server(number, jetstow_store, jetstow_server, worker_id):
            assert not jetstow_store.list()
            pathlib.Path(f"{worker_id}.txt").write_text(jetstow_server)
        """
    )
    run(user, "-n", "2", "--dist", "each").assert_outcomes(passed=8)
    urls = {path.read_text() for path in user.path.glob("gw*.txt")}
    assert len(urls) == 2


def test_server_stops_at_the_end(user: pytest.Pytester) -> None:
    """Also after a failure. Nothing is written to the folder of the user's own server."""
    user.makepyfile(
        """
        import pathlib

        import jetstow.sync
        from jetstow import _embedded

        def test_fails(jetstow_store, tmp_path_factory):
            home = tmp_path_factory.getbasetemp() / "jetstow0"
            pathlib.Path("pid.txt").write_text(str(_embedded.status(home).pid))
            assert not jetstow_store
        """
    )
    run(user).assert_outcomes(failed=1)
    pid = int((user.path / "pid.txt").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not Path("/nonexistent").exists()


def test_import_of_jetstow_does_not_import_pytest() -> None:
    """The fixtures cost nothing in programs, and in tests that do not use them."""
    program = (
        "import sys, jetstow, jetstow.sync, jetstow.fs, jetstow.cli; print('pytest' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert process.stdout == "False\n"
