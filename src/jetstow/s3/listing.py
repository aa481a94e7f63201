"""One page of a bucket's names: prefix, delimiter, start, size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jetstow.models import ObjectInfo
from jetstow.s3.arguments import parse_count, parse_encoding_type
from jetstow.s3.buckets import Bucket
from jetstow.s3.xml.writing import url_encoded

MAX_KEYS: Final = 1000


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What all requests for a page of names have in their query."""

    prefix: str
    delimiter: str
    max_keys: int
    is_encoded: bool

    def encode(self, name: str) -> str:
        """Return a name, prefix, marker or delimiter as the response has it."""
        return url_encoded(name) if self.is_encoded else name


def parse_page_query(query: Mapping[str, str]) -> PageQuery:
    """Return the common parameters. Raises: `S3Error` (InvalidArgument)."""
    return PageQuery(
        query.get("prefix", ""),
        query.get("delimiter", ""),
        parse_count(query, "max-keys", default=MAX_KEYS, maximum=MAX_KEYS),
        parse_encoding_type(query),
    )


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


async def list_page(bucket: Bucket, query: PageQuery, *, start_after: str = "") -> Page:
    """Return the page that begins after a name or a common prefix.

    It shows every write that was acknowledged before, of any NATS client.
    """
    # The seam to the bucket index: until it exists, each page reads all metadata.
    prefix, delimiter = query.prefix, query.delimiter
    infos = await bucket.store.list(prefix)
    page, previous = Page(), None
    for info in sorted(infos, key=lambda info: info.name):
        end = info.name.find(delimiter, len(prefix)) if delimiter else -1
        entry = info.name if end < 0 else info.name[: end + len(delimiter)]
        if info.name <= start_after or entry in (start_after, previous):
            continue
        if page.count >= query.max_keys:
            page.last = previous
            break
        previous = entry
        if end < 0:
            page.objects.append(info)
        else:
            page.prefixes.append(entry)
    return page


async def is_empty(bucket: Bucket) -> bool:
    """Return whether a bucket has no object."""
    page = await list_page(bucket, PageQuery("", "", 1, is_encoded=False))
    return not page.count
