"""Pages of a bucket's names, from its index: prefix, delimiter, start, size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jetstow import IndexPage, VersionPage
from jetstow.s3.arguments import parse_count, parse_encoding_type
from jetstow.s3.call import Call
from jetstow.s3.xml.writing import escape, url_encoded

MAX_KEYS: Final = 1000

# What XML can have, and what decoding does not change.
_PLAIN: Final = re.compile("[^%+\x00-\x08\x0b-\x1f\ufffe\uffff]*")


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

    @property
    def echoed_prefix(self) -> str:
        """The prefix as ListObjects returns it.

        boto3 does not decode it there, other clients do. Without `%` and `+`, it means the same to
        both if it is not encoded.
        """
        return self.prefix if _PLAIN.fullmatch(self.prefix) else self.encode(self.prefix)

    def text(self, name: str) -> str:
        """Return a name or prefix as the text of an element."""
        # An encoded name has no character that XML escapes.
        return url_encoded(name) if self.is_encoded else escape(name)


def parse_page_query(query: Mapping[str, str]) -> PageQuery:
    """Return the common parameters. Raises: `S3Error` (InvalidArgument)."""
    return PageQuery(
        query.get("prefix", ""),
        query.get("delimiter", ""),
        parse_count(query, "max-keys", default=MAX_KEYS, maximum=MAX_KEYS),
        parse_encoding_type(query),
    )


async def list_page(call: Call, query: PageQuery, *, start_after: str = "") -> IndexPage:
    """Return the page of the bucket's names that begins after a name or a common prefix.

    It shows every write that was acknowledged before, of any NATS client.
    """
    async with call.buckets.indexes.use(call.bucket.store) as index:
        return await index.page(
            query.prefix, after=start_after, delimiter=query.delimiter, limit=query.max_keys
        )


async def list_versions(
    call: Call, query: PageQuery, *, start_after: str = "", after_version: str | None = None
) -> VersionPage:
    """Return the page of versions that begins after a key and its version, or after a prefix.

    It shows every write that was acknowledged before, of any NATS client.
    """
    async with call.buckets.indexes.use(call.bucket.store) as index:
        return await index.versions(
            query.prefix,
            after=start_after,
            after_version=after_version,
            delimiter=query.delimiter,
            limit=query.max_keys,
        )


async def is_empty(call: Call) -> bool:
    """Return whether the bucket of a request has no object, no version and no delete marker."""
    store = call.bucket.store
    if call.bucket.status.versioning is not None:
        async with call.buckets.indexes.use(store) as index:
            if (await index.versions(limit=1)).entries:
                return False
    else:
        async for _ in store.list():
            return False
    # Objects whose metadata cannot be read are not listed.
    return await store._is_empty()  # noqa: SLF001
