"""What `delete` may remove: names that the source does not have, up to `max_delete`.

An empty source, such as a disk that is not mounted, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from jetstow.errors import InvalidObjectNameError, InvalidOptionError, ObjectNotFoundError
from jetstow.store import ObjectStore


@dataclass(frozen=True)
class DeleteLimits:
    """The options `max_delete` and `force`. They have no effect without `delete`."""

    max_delete: int | None
    force: bool

    def __post_init__(self) -> None:
        if self.max_delete is not None and self.max_delete < 0:
            raise InvalidOptionError(f"max_delete must be 0 or more, not {self.max_delete}")

    def check(
        self, count: int, noun: str, *, source: str, target: str, source_is_empty: bool, bucket: str
    ) -> None:
        """Check the number of names that would be deleted, before anything is changed.

        `noun` is "file" or "object"; `source` and `target` are descriptions for the message.

        Raises: `InvalidOptionError` (the source is empty and `force` is not set, or `count` is
        more than `max_delete`).
        """
        names = f"{count} {noun}{'' if count == 1 else 's'}"
        if count and source_is_empty and not self.force:
            raise InvalidOptionError(
                f"{source} has nothing to copy: deleting would remove {names} from {target}; "
                "nothing was changed; if this is intended, pass force=True",
                bucket=bucket,
            )
        if self.max_delete is not None and count > self.max_delete:
            raise InvalidOptionError(
                f"deleting would remove {names} from {target}, more than max_delete "
                f"({self.max_delete}): nothing was changed; check {source}, or raise max_delete",
                bucket=bucket,
            )


async def is_missing(source: ObjectStore, name: str) -> bool:
    """Return whether a bucket has no object of a name, before the copy of it is removed.

    An object may have been created since the bucket was listed.

    Raises: what `get_info` raises if the object may exist, such as `BadObjectMetaError`.
    """
    try:
        await source.get_info(name)
    except (ObjectNotFoundError, InvalidObjectNameError):
        return True  # the name of a file may be one that no object can have
    return False
