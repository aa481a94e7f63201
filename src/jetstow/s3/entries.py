"""The elements of objects and prefixes in a page of names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from jetstow import IndexEntry
from jetstow.s3 import objects
from jetstow.s3.acl_requests import owner_element
from jetstow.s3.body.checksums import Checksum
from jetstow.s3.call import Call
from jetstow.s3.listing import PageQuery
from jetstow.s3.ownership import object_owner
from jetstow.s3.xml.writing import escape, format_nanoseconds, text


def object_element(name: str, entry: IndexEntry, query: PageQuery, fields: str) -> str:
    """Return the element of one object: `Contents` or `Version`, with fields after its own.

    One string, and not an element each: a page has 1,000 objects.
    """
    etag, checksum, time = objects.listed_sums(entry)
    algorithm = _algorithm_elements(checksum.rpartition(":")[0]) if checksum else ""
    return (
        f"<{name}><Key>{query.text(entry.name)}</Key>"
        f"<LastModified>{format_nanoseconds(time)}</LastModified>"
        f"<ETag>&quot;{escape(etag)}&quot;</ETag>{algorithm}"
        f"<Size>{entry.size}</Size><StorageClass>{objects.STORAGE_CLASS}</StorageClass>"
        f"{fields}</{name}>"
    )


@lru_cache(maxsize=256)
def _algorithm_elements(algorithm: str) -> str:
    """Return the algorithm and the type of a checksum, of which a list has not the value."""
    checksum = Checksum.parse(f"{algorithm}:-")
    if checksum is None:
        return ""
    return text("ChecksumAlgorithm", checksum.algorithm) + text("ChecksumType", checksum.kind)


def prefix_elements(prefixes: Sequence[str], query: PageQuery) -> str:
    """Return the elements of the common prefixes of a page."""
    return "".join(
        f"<CommonPrefixes><Prefix>{query.text(prefix)}</Prefix></CommonPrefixes>"
        for prefix in prefixes
    )


def owner_elements(call: Call) -> Callable[[IndexEntry], str]:
    """Return a function that returns the owner of an object."""
    elements = dict[str | None, str]()

    def of_object(entry: IndexEntry) -> str:
        stored = objects.listed_owner(entry)
        found = elements.get(stored)
        if found is None:
            owner = object_owner(call.bucket, stored, call.owner)
            found = elements[stored] = owner_element(owner, call.services.keys)
        return found

    return of_object
