"""The operations of the model test. Each checks its result against the reference model."""

from __future__ import annotations

import asyncio
import builtins
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import (
    LinkError,
    LinkIsABucketError,
    ObjectAlreadyExists,
    ObjectNotFoundError,
)
from tests.model.contention import (
    CHUNK,
    UNKNOWN_OUTCOME_ERRORS,
    Call,
    Contention,
    new_object,
    pieces,
)
from tests.model.reference import (
    Object,
    ReferenceModel,
    State,
    ViolationError,
    bucket_link,
    is_bucket_link,
)

# Longer than any timeout of jetstow: an operation that takes longer hangs. In seconds.
MAX_CALL_SECONDS = 45.0


@dataclass(frozen=True)
class Variant:
    """The properties of a bucket that differ between runs."""

    encrypted: bool
    has_ttl: bool


class Operations(Contention):
    """The verbs. Each returns its outcome: "done", "refused" or "unknown"."""

    def __init__(
        self,
        reference: ReferenceModel,
        stores: Sequence[jetstow.ObjectStore],
        folder: Path,
        kind: Variant,
    ) -> None:
        self.reference = reference
        self.stores = stores
        self.folder = folder
        self._kind = kind
        self._busy: Counter[str] = Counter()
        self._watched: list[set[str]] = []

    async def run(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Run an operation and return its outcome.

        Raises: `ViolationError` (its result is not possible, or it hangs).
        """
        step: Callable[[jetstow.ObjectStore, Call], Awaitable[str]] = getattr(self, call.verb)
        for changed in self._watched:
            changed.update(call.names)
        self._busy.update(call.names)
        try:
            async with asyncio.timeout(MAX_CALL_SECONDS) as limit:
                return await step(store, call)
        except builtins.TimeoutError as error:
            if limit.expired():
                raise ViolationError(f"{call} hangs") from error
            raise
        finally:
            self._busy.subtract(call.names)

    # -- writing -------------------------------------------------------------------------

    async def put(self, store: jetstow.ObjectStore, call: Call) -> str:
        new = new_object(call)
        meta = ObjectMeta(
            description=new.description, options=ObjectMetaOptions(max_chunk_size=CHUNK)
        )
        step: Awaitable[object]
        match call.salt % 5:
            case 0:
                step = store.put(call.name, new.data, meta)
            case 1:
                step = store.put(call.name, pieces(new.data), meta)
            case 2:
                path = self.folder / f"put-{call.salt}-{call.client}"
                path.write_bytes(new.data)
                step = store.put_file(path, call.name, meta)
            case 3 if self._kind.has_ttl:
                step = store.put(call.name, new.data, meta, ttl=86_400)
            case _:
                step = self._write(store, call.name, new.data, meta)
        return await self._run_write(step, call.name, new)

    async def _write(
        self, store: jetstow.ObjectStore, name: str, data: bytes, meta: ObjectMeta
    ) -> None:
        async with store.open(name, "wb", meta) as file:
            await file.write(data[: len(data) // 2])
            await file.write(data[len(data) // 2 :])

    async def create(self, store: jetstow.ObjectStore, call: Call) -> str:
        new = new_object(call)
        before = self.reference.possible(call.name)
        meta = ObjectMeta(description=new.description)
        step = store.put(call.name, new.data, meta, expected_revision=0)
        try:
            outcome = await self._run_write(step, call.name, new)
        except ObjectAlreadyExists:
            if before == {None}:
                raise ViolationError(f"create reports {call.name!r}, but it is missing") from None
            return "refused"
        if outcome == "done" and None not in before:
            raise ViolationError(f"{call.name!r} exists, but create succeeded")
        return outcome

    async def delete(self, store: jetstow.ObjectStore, call: Call) -> str:
        try:
            return await self._run_write(store.delete(call.name), call.name, None)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def update_meta(self, store: jetstow.ObjectStore, call: Call) -> str:
        before = self.reference.possible(call.name)
        described = f"described {call.salt}"
        after = [Object(each.data, described, each.link) for each in before if each is not None]
        step = store.update_meta(call.name, ObjectMeta(name=call.name, description=described))
        try:
            return await self._run_write(step, call.name, *after)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def rename(self, store: jetstow.ObjectStore, call: Call) -> str:
        if call.name == call.other:
            return "refused"
        before, target = self.reference.possible(call.name), self.reference.possible(call.other)
        described = f"renamed {call.salt}"
        moved = [Object(each.data, described, each.link) for each in before if each is not None]
        meta = ObjectMeta(name=call.other, description=described)
        try:
            await store.update_meta(call.name, meta)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except ObjectAlreadyExists:
            if target == {None}:
                raise ViolationError(f"rename reports {call.other!r}, but it is missing") from None
            return "refused"
        except (asyncio.CancelledError, *UNKNOWN_OUTCOME_ERRORS) as error:
            self.reference.unknown(call.name, None)
            self.reference.unknown(call.other, *moved)
            if len(before) == 1 and None not in before and target == {None}:
                (one,) = before
                assert one is not None
                self.reference.unknown_rename(call.name, one, call.other, moved[0])
            if isinstance(error, asyncio.CancelledError):
                raise
            return "unknown"
        if None not in target:
            raise ViolationError(f"{call.other!r} exists, but {call.name!r} replaced it")
        self.reference.acknowledged(call.name, None)
        self.reference.acknowledged(call.other, *moved)
        return "done"

    async def copy(self, store: jetstow.ObjectStore, call: Call) -> str:
        if call.name == call.other:
            return "refused"
        same = [each for each in self.reference.possible(call.name) if each is not None]
        try:
            return await self._run_write(store.copy(call.name, call.other), call.other, *same)
        except ObjectNotFoundError:
            return self._missing(call.name)

    async def add_link(self, store: jetstow.ObjectStore, call: Call) -> str:
        link = f"link-{call.name}"
        new = Object(b"", "", call.other)
        try:
            return await self._run_write(store.add_link(link, call.other), link, new)
        except ObjectNotFoundError:
            return self._missing(call.other)
        except LinkError:
            return "refused"

    async def add_bucket_link(self, store: jetstow.ObjectStore, call: Call) -> str:
        link, bucket = f"link-{call.name}", f"bucket-{call.salt % 3}"
        try:
            return await self._run_write(
                store.add_bucket_link(link, bucket), link, bucket_link(bucket)
            )
        except ObjectAlreadyExists:
            raise ViolationError(f"{link!r} has never had bytes") from None

    # -- reading -------------------------------------------------------------------------

    async def get(self, store: jetstow.ObjectStore, call: Call) -> str:
        try:
            result = await store.get(call.name)
        except ObjectNotFoundError:
            return self._missing(call.name)
        except UNKNOWN_OUTCOME_ERRORS:
            return "unknown"
        self.reference.observed(
            call.name, Object(result.data or b"", result.info.description or "")
        )
        return "done"

    async def get_link(self, store: jetstow.ObjectStore, call: Call) -> str:
        with self._names_changed_by_others(call) as changed:
            try:
                result = await store.get(f"link-{call.name}")
            except LinkIsABucketError:
                states = self.reference.possible(f"link-{call.name}")
                if not any(each is not None and is_bucket_link(each) for each in states):
                    raise ViolationError(f"{call} found a link to a bucket") from None
                return "refused"
            except (ObjectNotFoundError, LinkError):
                return "refused"
            except UNKNOWN_OUTCOME_ERRORS:
                return "unknown"
        if result.info.name in changed:
            return "done"  # a concurrent call changes the target
        data = result.data or b""
        self.reference.observed(result.info.name, Object(data, result.info.description or ""))
        return "done"

    async def get_file(self, store: jetstow.ObjectStore, call: Call) -> str:
        path = self.folder / f"get-{call.salt}-{call.client}"
        path.write_bytes(b"before")
        try:
            resume = bool(call.salt % 2) and not self._kind.encrypted
            info = await store.get_file(call.name, path, resume=resume)
        except asyncio.CancelledError as error:
            states = self.reference.possible(call.name)
            if path.read_bytes() not in {b"before", *(each.data for each in states if each)}:
                raise ViolationError(f"{call} left a part of the file") from error
            raise
        except (ObjectNotFoundError, *UNKNOWN_OUTCOME_ERRORS) as error:
            if path.read_bytes() != b"before":
                raise ViolationError(f"{call} failed but changed the file") from error
            return (
                "unknown" if isinstance(error, UNKNOWN_OUTCOME_ERRORS) else self._missing(call.name)
            )
        self.reference.observed(call.name, Object(path.read_bytes(), info.description or ""))
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
        except UNKNOWN_OUTCOME_ERRORS:
            return "unknown"
        self._check_possible(call.name, lambda each: each.data == found)
        return "done"

    async def read(self, store: jetstow.ObjectStore, call: Call) -> str:
        """Read a range, by `get_range` or by `open` and `seek`."""
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
        except UNKNOWN_OUTCOME_ERRORS:
            return "unknown"
        self._check_possible(call.name, lambda each: each.data[start : start + 2_500] == found)
        return "done"

    async def list(self, store: jetstow.ObjectStore, call: Call) -> str:
        """List the bucket and check the names that no concurrent call changes."""
        certain = {name: self.reference.possible(name) for name in self.reference.names}
        with self._names_changed_by_others(call) as changed:
            try:
                if call.salt % 2:
                    listed = {info.name for info in await store.list()}
                else:
                    listed = {info.name async for info in store.list()}
            except UNKNOWN_OUTCOME_ERRORS:
                return "unknown"
        for name, states in certain.items():
            if name in changed or name.startswith("link-"):
                continue
            if states == {None} and name in listed:
                raise ViolationError(f"{name!r} is missing, but listed")
            if None not in states and name not in listed:
                raise ViolationError(f"{name!r} exists, but is not listed")
        return "done"

    @contextmanager
    def _names_changed_by_others(self, call: Call) -> Iterator[set[str]]:
        """Collect the names that concurrent calls use, until the context ends."""
        changed = set(+(self._busy - Counter(call.names)))
        self._watched.append(changed)
        try:
            yield changed
        finally:
            self._watched.remove(changed)

    # -- reference model -----------------------------------------------------------------

    async def _run_write(self, step: Awaitable[object], name: str, *after: State) -> str:
        try:
            await step
        except (asyncio.CancelledError, *UNKNOWN_OUTCOME_ERRORS) as error:
            self.reference.unknown(name, *after)
            if isinstance(error, asyncio.CancelledError):
                raise
            return "unknown"
        if not after:
            raise ViolationError(f"{name!r} is missing, but the change succeeded")
        self.reference.acknowledged(name, *after)
        return "done"

    def _missing(self, name: str) -> str:
        self.reference.observed(name, None)
        return "refused"

    def _check_possible(self, name: str, fits: Callable[[Object], bool]) -> None:
        possible = self.reference.possible(name)
        if not any(each is not None and fits(each) for each in possible):
            raise ViolationError(f"the content of {name!r} is none of {possible!r}")
