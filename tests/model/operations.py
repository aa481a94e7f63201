"""What users do with a bucket, each one held against the truth."""

from __future__ import annotations

import asyncio
import builtins
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    ConnectionLostError,
    JetStreamUnavailableError,
    LinkError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
    TimeoutError,
)
from tests.model.truth import Object, State, Truth, ViolationError

# Who is told one of these does not know what has become of it.
UNKNOWN = (ConnectionLostError, TimeoutError, JetStreamUnavailableError)

# The smallest that an encrypted object may have.
CHUNK = 1_024
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 30 * CHUNK, 300_000, 700_001)

# Longer than anything that waits: what takes longer hangs.
HANGS = 45.0


@dataclass(frozen=True)
class Call:
    """One thing to do: by which client, with which names, and what else chance decides."""

    verb: str
    client: int
    name: str
    other: str
    salt: int

    @property
    def names(self) -> set[str]:
        """Those that no other call may have to do with at the same time."""
        both = {self.name, self.other}
        return both if self.verb in ("rename", "copy", "add_link", "get_link") else {self.name}


@dataclass(frozen=True)
class Kind:
    """What makes one bucket's life unlike another's."""

    encrypted: bool
    expiring: bool


class Operations:
    """The verbs. Each returns how it ended: done, refused, or unknown."""

    def __init__(self, truth: Truth, folder: Path, kind: Kind) -> None:
        self.truth = truth
        self.folder = folder
        self._kind = kind
        self._busy: Counter[str] = Counter()
        self._watched: list[set[str]] = []

    async def run(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Do it. Raises `ViolationError`."""
        step: Callable[[jetstow.ObjectStore, Call], Awaitable[str]] = getattr(self, call.verb)
        for changed in self._watched:
            changed.update(call.names)
        self._busy.update(call.names)
        try:
            async with asyncio.timeout(HANGS) as limit:
                return await step(store, call)
        except builtins.TimeoutError as error:
            if limit.expired():
                raise ViolationError(f"{call} hangs") from error
            raise
        finally:
            self._busy.subtract(call.names)

    # -- writing -------------------------------------------------------------------------

    async def put(self, store: jetstow.ObjectStore, call: Call) -> str:
        made = _object(call)
        meta = ObjectMeta(
            description=made.description, options=ObjectMetaOptions(max_chunk_size=CHUNK)
        )
        match call.salt % 5:
            case 0:
                step = store.put(call.name, made.data, meta)
            case 1:
                step = store.put(call.name, _pieces(made.data), meta)
            case 2:
                path = self.folder / f"put-{call.salt}-{call.client}"
                path.write_bytes(made.data)
                step = store.put_file(path, call.name, meta)
            case 3 if self._kind.expiring:
                step = store.put(call.name, made.data, meta, ttl=86_400)
            case _:
                step = self._write(store, call.name, made.data, meta)
        return await self._writing(step, call.name, made)

    async def _write(
        self, store: jetstow.ObjectStore, name: str, data: bytes, meta: ObjectMeta
    ) -> None:
        async with store.open(name, "wb", meta) as file:
            await file.write(data[: len(data) // 2])
            await file.write(data[len(data) // 2 :])

    async def create(self, store: jetstow.ObjectStore, call: Call) -> str:
        made = _object(call)
        before = self.truth.of(call.name)
        meta = ObjectMeta(description=made.description)
        step = store.put(call.name, made.data, meta, expected_revision=0)
        try:
            ended = await self._writing(step, call.name, made)
        except ObjectAlreadyExists:
            if before == {None}:
                raise ViolationError(f"{call.name!r} is said to exist") from None
            return "refused"
        if ended == "done" and None not in before:
            raise ViolationError(f"{call.name!r} was there, and is put as if it were not")
        return ended

    async def cancel(self, store: jetstow.ObjectStore, call: Call) -> str:
        """A put that is cancelled somewhere on its way."""
        made = _object(call)
        meta = ObjectMeta(
            description=made.description, options=ObjectMetaOptions(max_chunk_size=CHUNK)
        )
        put = asyncio.create_task(store.put(call.name, _pieces(made.data), meta))
        for _ in range(call.salt % 60):
            await asyncio.sleep(0)
        put.cancel()
        try:
            await put
        except (asyncio.CancelledError, *UNKNOWN):
            self.truth.may_be(call.name, made)
            return "unknown"
        self.truth.is_so(call.name, made)
        return "done"

    async def delete(self, store: jetstow.ObjectStore, call: Call) -> str:
        try:
            return await self._writing(store.delete(call.name), call.name, None)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def update_meta(self, store: jetstow.ObjectStore, call: Call) -> str:
        before = self.truth.of(call.name)
        described = f"described {call.salt}"
        after = [Object(each.data, described, each.link) for each in before if each is not None]
        step = store.update_meta(call.name, ObjectMeta(name=call.name, description=described))
        try:
            return await self._writing(step, call.name, *after)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def rename(self, store: jetstow.ObjectStore, call: Call) -> str:
        if call.name == call.other:
            return "refused"
        before, there = self.truth.of(call.name), self.truth.of(call.other)
        described = f"renamed {call.salt}"
        moved = [Object(each.data, described, each.link) for each in before if each is not None]
        meta = ObjectMeta(name=call.other, description=described)
        try:
            await store.update_meta(call.name, meta)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except ObjectAlreadyExists:
            if there == {None}:
                raise ViolationError(f"{call.other!r} is said to exist") from None
            return "refused"
        except UNKNOWN:
            self.truth.may_be(call.name, None)
            self.truth.may_be(call.other, *moved)
            if len(before) == 1 and None not in before and there == {None}:
                (one,) = before
                assert one is not None
                self.truth.may_have_moved(call.name, one, call.other, moved[0])
            return "unknown"
        if None not in there:
            raise ViolationError(f"{call.other!r} was there, and {call.name!r} took its place")
        self.truth.is_so(call.name, None)
        self.truth.is_so(call.other, *moved)
        return "done"

    async def copy(self, store: jetstow.ObjectStore, call: Call) -> str:
        if call.name == call.other:
            return "refused"
        same = [each for each in self.truth.of(call.name) if each is not None]
        try:
            return await self._writing(store.copy(call.name, call.other), call.other, *same)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def add_link(self, store: jetstow.ObjectStore, call: Call) -> str:
        link = f"link-{call.name}"
        made = Object(b"", "", call.other)
        try:
            return await self._writing(store.add_link(link, call.other), link, made)
        except ObjectNotFoundError:
            return self._missing(call.other)
        except LinkError:
            return "refused"

    # -- reading -------------------------------------------------------------------------

    async def get(self, store: jetstow.ObjectStore, call: Call) -> str:
        try:
            result = await store.get(call.name)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except UNKNOWN:
            return "unknown"
        self.truth.seen(call.name, Object(result.data or b"", result.info.description or ""))
        return "done"

    async def get_link(self, store: jetstow.ObjectStore, call: Call) -> str:
        with self._watching(call) as changed:
            try:
                result = await store.get(f"link-{call.name}")
            except (ObjectNotFoundError, LinkError):
                return "refused"
            except UNKNOWN:
                return "unknown"
        if result.info.name in changed:
            return "done"  # where it leads, somebody writes meanwhile
        data = result.data or b""
        self.truth.seen(result.info.name, Object(data, result.info.description or ""))
        return "done"

    async def get_file(self, store: jetstow.ObjectStore, call: Call) -> str:
        path = self.folder / f"get-{call.salt}-{call.client}"
        path.write_bytes(b"before")
        try:
            resume = bool(call.salt % 2) and not self._kind.encrypted
            info = await store.get_file(call.name, path, resume=resume)
        except (ObjectNotFoundError, *UNKNOWN) as error:
            if path.read_bytes() != b"before":
                raise ViolationError(f"{call} has touched the file and failed") from error
            return "unknown" if isinstance(error, UNKNOWN) else self._missing(call.name)
        self.truth.seen(call.name, Object(path.read_bytes(), info.description or ""))
        return "done"

    async def stream(self, store: jetstow.ObjectStore, call: Call) -> str:
        found = bytearray()
        try:
            async for piece in store.stream(call.name):
                found += piece
                if call.salt % 3 == 0:
                    await asyncio.sleep(0)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except UNKNOWN:
            return "unknown"
        self._is_one_of(call.name, lambda each: each.data == found)
        return "done"

    async def read(self, store: jetstow.ObjectStore, call: Call) -> str:
        """A range, or a file that is opened and sought in."""
        start = call.salt % 5_000
        try:
            info = await store.get_info(call.name)
            start = min(start, info.size or 0)
            if call.salt % 2:
                found = await store.get_range(call.name, start, 2_500)
            else:
                async with store.open(call.name) as file:
                    await file.seek(start)
                    found = await file.read(2_500)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except UNKNOWN:
            return "unknown"
        self._is_one_of(call.name, lambda each: each.data[start : start + 2_500] == found)
        return "done"

    async def list(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Only what nobody changes meanwhile can be told from it."""
        certain = {name: self.truth.of(name) for name in self.truth.names}
        with self._watching(call) as changed:
            try:
                if call.salt % 2:
                    listed = {info.name for info in await store.list()}
                else:
                    listed = {info.name async for info in store.list()}
            except UNKNOWN:
                return "unknown"
        for name, states in certain.items():
            if name in changed or name.startswith("link-"):
                continue
            if states == {None} and name in listed:
                raise ViolationError(f"{name!r} is listed and cannot be there")
            if None not in states and name not in listed:
                raise ViolationError(f"{name!r} is not listed and must be there")
        return "done"

    @contextmanager
    def _watching(self, call: Call) -> Iterator[set[str]]:
        """The names with which other calls have to do meanwhile."""
        changed = set(+(self._busy - Counter(call.names)))
        self._watched.append(changed)
        try:
            yield changed
        finally:
            self._watched.remove(changed)

    # -- the truth -----------------------------------------------------------------------

    async def _writing(self, step: Awaitable[object], name: str, *after: State) -> str:
        try:
            await step
        except UNKNOWN:
            self.truth.may_be(name, *after)
            return "unknown"
        if not after:
            raise ViolationError(f"{name!r} was changed and cannot be there")
        self.truth.is_so(name, *after)
        return "done"

    def _missing(self, name: str) -> str:
        self.truth.seen(name, None)
        return "refused"

    def _is_one_of(self, name: str, fits: Callable[[Object], bool]) -> None:
        possible = self.truth.of(name)
        if not any(each is not None and fits(each) for each in possible):
            raise ViolationError(f"{name!r} reads as none of {possible!r}")


def _object(call: Call) -> Object:
    size = SIZES[call.salt % len(SIZES)]
    return Object(random.Random(call.salt).randbytes(size), f"put {call.salt}")


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 7_777):
        yield data[start : start + 7_777]
        await asyncio.sleep(0)
