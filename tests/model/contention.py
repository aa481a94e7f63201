"""Operations of the model that contend: two writers of one name, conditions, cancellations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    ConnectionLostError,
    JetStreamUnavailableError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    RevisionMismatchError,
    TimeoutError,
)
from tests.model.reference import Object, ReferenceModel, ViolationError

# After one of these errors, the outcome of the operation is unknown.
UNKNOWN_OUTCOME_ERRORS = (ConnectionLostError, TimeoutError, JetStreamUnavailableError)

# The smallest chunk size of an encrypted object.
CHUNK = 1_024
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 30 * CHUNK, 300_000, 700_001)

# `cancel` cancels all of them.
WRITES = ["put", "create", "delete", "update_meta", "rename", "copy", "add_link", "add_bucket_link"]
READS = ["get", "stream", "get_file", "read", "list", "get_link"]
CANCELLED = [*WRITES, *READS, "replace", "race"]

_CONFLICTS = (ObjectAlreadyExists, RevisionMismatchError)


@dataclass(frozen=True)
class Call:
    """An operation: its client, its names, and a number that selects its other parameters."""

    verb: str
    client: int
    name: str
    other: str
    salt: int

    @property
    def names(self) -> set[str]:
        """The names that no concurrent call may use."""
        both = {self.name, self.other}
        return both if self.verb in _VERBS_OF_TWO_NAMES else {self.name}


_VERBS_OF_TWO_NAMES = ("rename", "copy", "add_link", "add_bucket_link", "get_link", "cancel")


def new_object(call: Call, *, second: bool = False) -> Object:
    """Return the object that a call stores; `second` is that of its second writer."""
    salt = call.salt + 10**7 * second
    size = SIZES[salt % len(SIZES)]
    return Object(random.Random(salt).randbytes(size), f"put {salt}")


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 7_777):
        yield data[start : start + 7_777]
        await asyncio.sleep(0)


class Contention:
    """The verbs that contend. `stores` are those of all clients, for a second writer."""

    reference: ReferenceModel
    stores: Sequence[jetstow.ObjectStore]

    async def cancel(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Cancel a verb after a number of event loop iterations."""
        verb = CANCELLED[call.salt % len(CANCELLED)]
        step: Callable[[jetstow.ObjectStore, Call], Awaitable[str]] = getattr(self, verb)
        task = asyncio.ensure_future(step(store, call))
        for _ in range(call.salt // len(CANCELLED) % 80):
            await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return "unknown"

    async def race(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Put two objects under one name at the same time, by two clients.

        With an odd number, both expect the same revision, and one of them at most succeeds.
        """
        objects = new_object(call), new_object(call, second=True)
        second = self.stores[(call.client + 1) % len(self.stores)]
        expected: int | None = None
        if call.salt % 2:
            try:
                expected = (await store.get_info(call.name)).revision
            except ObjectNotFoundError:
                expected = 0
            except UNKNOWN_OUTCOME_ERRORS:
                return "unknown"
        try:
            results = await asyncio.gather(
                _put(store, call.name, objects[0], expected),
                _put(second, call.name, objects[1], expected),
            )
        except asyncio.CancelledError:
            self.reference.unknown(call.name, *objects)
            raise
        return self._record_race(call, objects, results, is_conditional=expected is not None)

    def _record_race(
        self,
        call: Call,
        objects: tuple[Object, Object],
        results: Sequence[str],
        *,
        is_conditional: bool,
    ) -> str:
        stored = [each for each, result in zip(objects, results, strict=True) if result == "done"]
        unknown = [
            each for each, result in zip(objects, results, strict=True) if result == "unknown"
        ]
        if is_conditional and len(stored) == 2:
            raise ViolationError(f"two puts of {call} replaced one revision")
        if stored:
            self.reference.acknowledged(call.name, *stored)
        if not (stored and is_conditional):
            self.reference.unknown(call.name, *unknown)
        return "done" if stored else "unknown" if unknown else "refused"

    async def replace(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Replace an object at its revision, or with an odd number at another one: refused."""
        new, is_certain = new_object(call), self.reference.is_certain(call.name)
        try:
            revision = (await store.get_info(call.name)).revision or 0
        except ObjectNotFoundError:
            self.reference.observed(call.name, None)
            return "refused"
        except UNKNOWN_OUTCOME_ERRORS:
            return "unknown"
        is_wrong = bool(call.salt % 2)
        try:
            result = await _put(store, call.name, new, revision - is_wrong)
        except asyncio.CancelledError:
            self.reference.unknown(call.name, new)
            raise
        if result == "unknown":
            self.reference.unknown(call.name, new)
        if result == "refused" and is_certain and not is_wrong:
            raise ViolationError(f"{call.name!r} was refused at its revision {revision}")
        if result == "done":
            if is_wrong:
                raise ViolationError(f"{call.name!r} was replaced at revision {revision - 1}")
            self.reference.acknowledged(call.name, new)
        return result


async def _put(store: jetstow.ObjectStore, name: str, new: Object, expected: int | None) -> str:
    meta = ObjectMeta(description=new.description, options=ObjectMetaOptions(max_chunk_size=CHUNK))
    try:
        await store.put(name, pieces(new.data), meta, expected_revision=expected)
    except UNKNOWN_OUTCOME_ERRORS:
        return "unknown"
    except _CONFLICTS:
        return "refused"
    return "done"
