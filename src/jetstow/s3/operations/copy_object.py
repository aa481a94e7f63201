"""CopyObject: store the bytes of an object under another key, or give an object new metadata."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from jetstow import ObjectReader
from jetstow.errors import ObjectChangedError, RevisionMismatchError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3 import objects
from jetstow.s3.body.checksums import ALGORITHMS, Algorithm, Checksum, encode_base64
from jetstow.s3.body.summing import summing
from jetstow.s3.call import Call
from jetstow.s3.changes import ATTEMPTS
from jetstow.s3.conditions import expected_revision, put_conditions
from jetstow.s3.customer_key import SOURCE_PREFIX, parse_customer_key
from jetstow.s3.errors import S3Error
from jetstow.s3.events.rules import COPY
from jetstow.s3.keep_alive import keep_alive
from jetstow.s3.object_lock import new_lock
from jetstow.s3.ownership import new_object_entries
from jetstow.s3.reserved import EVENT
from jetstow.s3.result import Result
from jetstow.s3.sources import COPY_SOURCE, Source, open_copy_source, parse_copy_source
from jetstow.s3.tags import TAGGING, parse_tag_header
from jetstow.s3.versions import check_version, new_headers
from jetstow.s3.website.redirect_header import redirect_entries
from jetstow.s3.writes import store_pieces
from jetstow.s3.xml.writing import document, text

_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without "
    "changing the object's metadata, storage class, website redirect location or encryption "
    "attributes."
)


async def copy_object(call: Call) -> Result:
    """Copy an object with its metadata, or with that of the request (REPLACE)."""
    source = parse_copy_source(call.request.headers[COPY_SOURCE])
    replaces = _directive(call, "x-amz-metadata-directive")
    if _is_onto_itself(call, source) and not replaces:
        raise S3Error("InvalidRequest", _ITSELF)
    headers = dict(call.bucket.key_headers)
    result = await keep_alive(call, _document(call, source, headers, replaces=replaces))
    result.headers |= headers
    return result


def _is_onto_itself(call: Call, source: Source) -> bool:
    """Return whether a copy is one onto itself, and not one of an older version."""
    is_same = (source.bucket, source.key) == (call.bucket.name, call.key)
    return is_same and check_version(call.bucket, source.version) is None


def _is_linked(call: Call, info: ObjectInfo) -> bool:
    """Return whether the key of the request is a link, which a copy onto itself replaces."""
    return (info.bucket, info.name) != (call.bucket.store.bucket, call.key)


async def _document(call: Call, source: Source, headers: dict[str, str], *, replaces: bool) -> str:
    """Copy the object. Return the document of the response, and add its headers."""
    wanted = _wanted_algorithm(call)
    conditions = put_conditions(call.request.headers)
    for _ in range(ATTEMPTS):
        try:
            async with await open_copy_source(call, source) as reader:
                meta = _meta(call, reader.info, replaces=replaces)
                algorithm = _missing_algorithm(reader.info, wanted)
                if _is_onto_itself(call, source) and not _is_linked(call, reader.info):
                    conditions.check(reader.info)
                    info = await _change(call, reader, meta, algorithm)
                else:
                    async with expected_revision(
                        call.bucket.store, call.key, conditions
                    ) as revision:
                        info = await _copy(call, reader, meta, algorithm, revision)
            read_version = reader.info.version
            break
        except (ObjectChangedError, RevisionMismatchError):
            continue  # the source was replaced while it was read: copy the new object
    else:
        raise S3Error("OperationAborted")
    if read_version is not None:
        headers["x-amz-copy-source-version-id"] = read_version
    headers |= new_headers(call.bucket, info)
    checksum = objects.checksum(info)
    return document(
        "CopyObjectResult",
        text("LastModified", info.modified),
        text("ETag", objects.etag(info)),
        "" if checksum is None else checksum.elements,
    )


async def _change(
    call: Call, reader: ObjectReader, meta: ObjectMeta, algorithm: Algorithm | None
) -> ObjectInfo:
    """Give an object other metadata. Its bytes are read for a new checksum or a new key only.

    In a bucket with versions, the copy is a version of its own.
    """
    revision = reader.info.revision
    source_key = parse_customer_key(call.request, call.request.headers, SOURCE_PREFIX)
    is_versioned = call.bucket.status.versioning is not None
    if algorithm is not None or source_key != call.bucket.customer_key or is_versioned:
        return await _copy(call, reader, meta, algorithm, revision)
    return await call.bucket.data_store.update_meta(call.key, meta, expected_revision=revision)


async def _copy(
    call: Call,
    reader: ObjectReader,
    meta: ObjectMeta,
    algorithm: Algorithm | None,
    revision: int | None,
) -> ObjectInfo:
    """Read the source and store it, with a checksum of the algorithm if there is one."""
    info = reader.info
    running = None if algorithm is None else algorithm.new()

    def finished(digest: str) -> ObjectMeta:
        if algorithm is None or running is None or call.bucket.customer_key is not None:
            return meta
        checksum = Checksum(algorithm.name, encode_base64(running.digest()))
        entries = objects.sum_entries(objects.etag(info).strip('"'), checksum, digest)
        return replace(meta, metadata=(meta.metadata or {}) | entries)

    async with aclosing(reader.stream()) as stream:
        pieces = stream
        if running is not None:
            pieces = summing(stream, running.update)
        return await store_pieces(call.bucket, call.key, pieces, meta, finished, revision)


def _meta(call: Call, info: ObjectInfo, *, replaces: bool) -> ObjectMeta:
    """Return the metadata of the copy."""
    entries = _tag_entries(call, info)
    if call.bucket.customer_key is None:
        entries |= objects.copied_entries(info)
    entries |= new_object_entries(
        call.bucket, call.identity, call.request.headers, call.services.keys
    )
    entries |= redirect_entries(call.request.headers)  # of the request only: S3 copies none
    entries[EVENT] = COPY
    retention, legal_hold = new_lock(call.bucket, call.request.headers, call.now)
    if replaces:
        attributes = objects.parse_headers(call.request.headers)
        attributes.reserved = entries
        meta = attributes.meta(call.key)
    else:
        metadata = objects.user_metadata(info) | entries
        meta = replace(info.meta, name=call.key, options=None, metadata=metadata)
    return replace(meta, retention=retention, legal_hold=legal_hold)


def _tag_entries(call: Call, info: ObjectInfo) -> dict[str, str]:
    """Return the tags of the copy: those of the source, or of the request (REPLACE)."""
    header = call.request.header(TAGGING)
    if _directive(call, f"{TAGGING}-directive"):
        return objects.tag_entries(parse_tag_header(header or ""))
    if header is not None:
        message = f"{TAGGING} needs the header {TAGGING}-directive with the value REPLACE."
        raise S3Error("InvalidArgument", message, ArgumentName=TAGGING, ArgumentValue=header)
    return objects.tag_entries(objects.object_tags(info))


def _directive(call: Call, header: str) -> bool:
    """Return whether a directive is REPLACE. Raises: `S3Error` (InvalidArgument)."""
    value = call.request.headers.get(header, "COPY")
    if value not in ("COPY", "REPLACE"):
        message = f"Unknown {header.removeprefix('x-amz-').replace('-', ' ')}."
        raise S3Error("InvalidArgument", message, ArgumentName=header, ArgumentValue=value)
    return value == "REPLACE"


def _wanted_algorithm(call: Call) -> Algorithm | None:
    name = call.request.header("x-amz-checksum-algorithm")
    if name is None:
        return None
    if name.upper() not in ALGORITHMS:
        message = "Checksum algorithm provided is unsupported."
        raise S3Error("InvalidRequest", message)
    return ALGORITHMS[name.upper()]


def _missing_algorithm(info: ObjectInfo, wanted: Algorithm | None) -> Algorithm | None:
    """Return the algorithm of the checksum that the copy is to have and the source has not."""
    current = objects.checksum(info)
    if wanted is None or (
        current is not None and current.algorithm == wanted.name and current.kind == "FULL_OBJECT"
    ):
        return None
    return wanted
