"""One page of a bucket's names: prefix, delimiter, start, size."""

from __future__ import annotations

from dataclasses import dataclass, field

from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket

MAX_KEYS = 1000


@dataclass(slots=True)
class Page:
    """A page: objects and common prefixes in the order of names.

    `last` is the last name or common prefix of the page if there are more.
    """

    objects: list[ObjectInfo] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None

    @property
    def count(self) -> int:
        """How many entries the page has."""
        return len(self.objects) + len(self.prefixes)


async def list_page(
    bucket: Bucket, *, prefix: str, delimiter: str, start_after: str, max_keys: int
) -> Page:
    """Return the page that begins after a name or a common prefix.

    It shows every write that was acknowledged before, of any NATS client.
    """
    # The seam to the bucket index: until it exists, each page reads all metadata.
    infos = await bucket.store.list(prefix)
    page, previous = Page(), None
    for info in sorted(infos, key=lambda info: info.name):
        end = info.name.find(delimiter, len(prefix)) if delimiter else -1
        entry = info.name if end < 0 else info.name[: end + len(delimiter)]
        if info.name <= start_after or entry in (start_after, previous):
            continue
        if page.count >= max_keys:
            page.last = previous
            break
        previous = entry
        if end < 0:
            page.objects.append(info)
        else:
            page.prefixes.append(entry)
    return page
