"""Delete many objects, several at a time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from functools import partial

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.map_in_order import map_in_order
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.api_errors import FATAL_ERRORS
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.read.filters import NameFilter
from jetstow._core.read.listing import list_infos
from jetstow._core.read.name_state import NameState
from jetstow._core.write.delete import delete_if_exists
from jetstow._results import DeleteResult
from jetstow.errors import InvalidOptionError, JetstowError
from jetstow.models import ObjectInfo

# A name, the expected revision, and the state of the name if it was read.
_Target = tuple[str, int | None, NameState | None]


async def delete_objects(stream: Stream, objects: Iterable[str | ObjectInfo]) -> DeleteResult:
    """Delete objects by name, or by info: then only at the revision of the info.

    Raises: `InvalidObjectNameError` or `InvalidOptionError` (before any object is deleted), and
    what `_delete_all` raises.
    """
    targets: dict[str, _Target] = {}
    for item in objects:
        if not isinstance(item, ObjectInfo):
            name = check_object_name(stream.bucket, item)
            targets[name] = (name, None, None)
        elif item.bucket == stream.bucket:
            targets[item.name] = (check_object_name(stream.bucket, item.name), item.revision, None)
        else:
            context = stream.error_context()
            raise context.error(
                InvalidOptionError,
                f"object {item.name!r} to delete in {context} is in bucket {item.bucket!r}",
            )
    return await _delete_all(stream, targets.values())


async def delete_prefix(stream: Stream, prefix: str) -> DeleteResult:
    """Delete the objects whose names begin with a prefix, at the revisions that they have now.

    Raises: what `_delete_all` raises.
    """
    names = NameFilter(prefix, hides_versions=True)
    targets = [
        (info.name, info.revision, NameState(info.revision, info))
        for info in await list_infos(stream, names)
        if not info.deleted
    ]
    return await _delete_all(stream, targets)


async def _delete_all(stream: Stream, targets: Iterable[_Target]) -> DeleteResult:
    """Delete all targets, and collect the errors that concern one of them.

    Raises: the errors that every other object would cause, too (`FATAL_ERRORS`).
    """
    result = DeleteResult(stream.bucket)
    outcomes = map_in_order(targets, partial(_delete_one, stream), lambda _: 0)
    async with aclosing(outcomes):
        async for name, outcome in outcomes:
            if isinstance(outcome, JetstowError):
                result.failed.append(outcome)
            else:
                (result.deleted if outcome else result.missing).append(name)
    return result


async def _delete_one(stream: Stream, target: _Target) -> tuple[str, bool | JetstowError]:
    name, expected, state = target
    step = delete_if_exists(stream, stream.error_context(name), expected, state)
    try:
        return name, await uncancelled(step) is not None
    except JetstowError as error:
        if isinstance(error, FATAL_ERRORS):
            raise
        return name, error
