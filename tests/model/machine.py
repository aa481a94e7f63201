"""Runs of the model that hypothesis generates from a seed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.model.contention import Call
from tests.model.run import CLIENTS, BucketRun, Fault, Tally
from tests.support.servers import NatsServer

# Runs of one seed. The first one of hypothesis is the simplest: no operations.
RUNS = 4
STEPS = 25

# Longer than the limit of each call: a step that takes longer hangs. In seconds.
MAX_STEP_SECONDS = 120.0

_numbers = itertools.count(1)

_CLIENT = st.integers(0, CLIENTS - 1)
_NAME = st.sampled_from([f"name {number}" for number in range(6)])
VERBS = (
    ["put"] * 5
    + ["get", "get", "stream", "get_file", "read", "read", "list", "get_link"]
    + ["delete", "update_meta", "rename", "rename", "copy", "create", "add_link"]
    + ["add_bucket_link", "race", "race", "replace", "replace", *["cancel"] * 4]
)
CALLS = st.lists(
    st.builds(Call, st.sampled_from(VERBS), _CLIENT, _NAME, _NAME, st.integers(0, 10**6)),
    min_size=4,
    max_size=9,
)
_FAULTS = (
    ["cut"] * 6 + ["cut to server"] * 6 + ["cut to client"] * 6 + ["kill", "kill", "stall", "pause"]
)
_SOME_FAULT = st.builds(Fault, st.sampled_from(_FAULTS), _CLIENT, st.integers(0, 200_000))
FAULTS = st.none() | _SOME_FAULT


class BucketMachine(RuleBasedStateMachine):
    """One run. All runs share the tally."""

    server: ClassVar[NatsServer]
    tally: ClassVar[Tally]
    errors: ClassVar[list[BaseException]]
    run_numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="jetstow-model-")
        bucket = f"model-{next(_numbers)}"
        folder, encrypted = Path(self._folder.name), next(self.run_numbers) % 2 == 1
        self._bucket_run = BucketRun(self.server, bucket, folder, self.tally, encrypted=encrypted)
        self._passed = True
        if not self.server.is_running:
            self.server.start()
        self._run(self._bucket_run.begin())

    def _run(self, step: Coroutine[Any, Any, None]) -> None:
        try:
            self._loop.run_until_complete(asyncio.wait_for(step, MAX_STEP_SECONDS))
        except BaseException as error:
            self._passed = False
            error.add_note(self._bucket_run.recent_events())
            self.errors.append(error)
            raise

    @rule(calls=CALLS, fault=FAULTS)
    def step(self, calls: list[Call], fault: Fault | None) -> None:
        self._run(self._bucket_run.step(calls, fault))

    def teardown(self) -> None:
        try:
            if self._passed:
                self._run(self._bucket_run.end())
        finally:
            with contextlib.suppress(Exception):
                self._loop.run_until_complete(self._bucket_run.close())
            self._loop.run_until_complete(_cancel_all_tasks())
            self._loop.close()
            self._folder.cleanup()


async def _cancel_all_tasks() -> None:
    """Cancel the tasks that a failed run left behind."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def run_seed(server: NatsServer, number: int, tally: Tally) -> None:
    """Run the model with the examples of one seed.

    Raises: `ViolationError`, or any other error of a run.
    """
    errors: list[BaseException] = []
    attributes = {
        "server": server,
        "tally": tally,
        "errors": errors,
        "run_numbers": itertools.count(),
    }
    machine = type("Numbered", (BucketMachine,), attributes)
    try:
        _run_as_test(seed(number)(machine))
    except BaseException as error:  # noqa: BLE001 - this error or the first one is raised
        # Hypothesis repeats a failed run, and faults are not exactly repeatable: raise the first.
        raise (errors[0] if errors else error) from None


def _run_as_test(machine: type[BucketMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
        _min_steps=STEPS,
    )
