"""The elements of objects and prefixes in a page of names."""

from __future__ import annotations

from collections.abc import Callable

from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.acl_requests import owner_element
from jetstow.s3.call import Call
from jetstow.s3.listing import Page, PageQuery
from jetstow.s3.ownership import object_owner
from jetstow.s3.xml.writing import element, text


def object_element(name: str, info: ObjectInfo, query: PageQuery, *fields: str) -> str:
    """Return the element of one object: `Contents` or `Version`, with fields after its own."""
    checksum = objects.checksum(info)
    return element(
        name,
        text("Key", query.encode(info.name)),
        text("LastModified", info.modified),
        text("ETag", objects.etag(info)),
        ""
        if checksum is None
        else text("ChecksumAlgorithm", checksum.algorithm) + text("ChecksumType", checksum.kind),
        text("Size", info.size or 0),
        text("StorageClass", objects.STORAGE_CLASS),
        *fields,
    )


def prefix_elements(page: Page, query: PageQuery) -> str:
    """Return the elements of the common prefixes of a page."""
    return "".join(
        element("CommonPrefixes", text("Prefix", query.encode(prefix))) for prefix in page.prefixes
    )


def owner_elements(call: Call) -> Callable[[ObjectInfo], str]:
    """Return a function that returns the owner of an object."""
    bucket, keys, owners = call.bucket, call.services.keys, dict[str, str]()

    def of_object(info: ObjectInfo) -> str:
        owner = object_owner(bucket, info, call.owner)
        if owner not in owners:
            owners[owner] = owner_element(owner, keys)
        return owners[owner]

    return of_object
