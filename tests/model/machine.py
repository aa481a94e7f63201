"""Lives of a bucket as hypothesis makes them up, one seed after another."""

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

from tests.model.life import CLIENTS, Fault, Life, Tally
from tests.model.operations import Call
from tests.support.servers import NatsServer

# Hypothesis begins with the simplest life, in which nothing happens; chance makes the others.
LIVES = 4
STEPS = 25

# Beyond the limit of each call: what takes longer hangs. In seconds.
HANGS = 120.0

_numbers = itertools.count(1)

_CLIENT = st.integers(0, CLIENTS - 1)
_NAME = st.sampled_from([f"name {number}" for number in range(6)])
_VERBS = (
    ["put"] * 5
    + ["get", "get", "stream", "get_file", "read", "read", "list", "get_link"]
    + ["delete", "update_meta", "rename", "rename", "copy", "create", "cancel", "add_link"]
)
CALLS = st.lists(
    st.builds(Call, st.sampled_from(_VERBS), _CLIENT, _NAME, _NAME, st.integers(0, 10**6)),
    min_size=4,
    max_size=9,
)
_FAULTS = (
    ["cut"] * 6 + ["cut to server"] * 6 + ["cut to client"] * 6 + ["kill", "kill", "stall", "pause"]
)
_SOME_FAULT = st.builds(Fault, st.sampled_from(_FAULTS), _CLIENT, st.integers(0, 200_000))
FAULTS = st.none() | _SOME_FAULT


class Lives(RuleBasedStateMachine):
    """One life; the tally goes on over all of them."""

    server: ClassVar[NatsServer]
    tally: ClassVar[Tally]
    wrong: ClassVar[list[BaseException]]
    lives: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory(prefix="jetstow-model-")
        bucket = f"model-{next(_numbers)}"
        folder, encrypted = Path(self._folder.name), next(self.lives) % 2 == 1
        self._life = Life(self.server, bucket, folder, self.tally, encrypted=encrypted)
        self._is_well = True
        if not self.server.is_running:
            self.server.start()
        self._run(self._life.begin())

    def _run(self, step: Coroutine[Any, Any, None]) -> None:
        try:
            self._loop.run_until_complete(asyncio.wait_for(step, HANGS))
        except BaseException as error:
            self._is_well = False
            error.add_note(self._life.story())
            self.wrong.append(error)
            raise

    @rule(calls=CALLS, fault=FAULTS)
    def go_through(self, calls: list[Call], fault: Fault | None) -> None:
        self._run(self._life.go_through(calls, fault))

    def teardown(self) -> None:
        try:
            if self._is_well:
                self._run(self._life.end())
        finally:
            with contextlib.suppress(Exception):
                self._loop.run_until_complete(self._life.close())
            self._loop.run_until_complete(_let_go())
            self._loop.close()
            self._folder.cleanup()


async def _let_go() -> None:
    """Whatever still runs was left behind by what went wrong."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def live(server: NatsServer, number: int, tally: Tally) -> None:
    """The lives of that number. Raises `ViolationError`, or whatever else goes wrong."""
    wrong: list[BaseException] = []
    known = {"server": server, "tally": tally, "wrong": wrong, "lives": itertools.count()}
    machine = type("Numbered", (Lives,), known)
    try:
        _run_as_test(seed(number)(machine))
    except BaseException as error:  # noqa: BLE001 - it is raised again, or what came before it
        # Hypothesis lives it once more to be sure, and faults are never quite the same.
        raise (wrong[0] if wrong else error) from None


def _run_as_test(machine: type[Lives]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
        _min_steps=STEPS,
    )
