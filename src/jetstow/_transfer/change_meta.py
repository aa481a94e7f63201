"""Change a part of an object's metadata, and keep what other clients change at the same time."""

from __future__ import annotations

from collections.abc import Callable

from jetstow.errors import RevisionMismatchError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.store import ObjectStore


async def change_meta(
    store: ObjectStore, name: str, change: Callable[[ObjectInfo], ObjectMeta]
) -> ObjectInfo:
    """Replace an object's metadata by what `change` returns for its current info.

    If another client changes the object in between, its info is read again. Each repetition is due
    to a change of another client that succeeded.

    Raises: what `get_info`, `update_meta` and `change` raise, except `RevisionMismatchError`.
    """
    while True:
        info = await store.get_info(name)
        try:
            return await store.update_meta(name, change(info), expected_revision=info.revision)
        except RevisionMismatchError:
            continue
