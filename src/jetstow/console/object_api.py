"""One object: its metadata, its versions, and a link to share it."""

from __future__ import annotations

import datetime
from typing import Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow._core.protocol.versions import NULL_VERSION
from jetstow.console.access import may, open_call, signed_in
from jetstow.console.context import context_of, origin
from jetstow.console.json_body import read_json
from jetstow.console.links import LinkTarget, link_target
from jetstow.console.previews import LIFETIME, Kind, Link, kind_of, media_type_of, preview_url
from jetstow.console.queries import iso_time, json_response, parse_name
from jetstow.console.reading import readable_info
from jetstow.errors import ObjectNotFoundError
from jetstow.models import ObjectHeaders, ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.auth.authenticate import MAX_EXPIRY
from jetstow.s3.auth.keys import Key
from jetstow.s3.auth.presign import presigned_url
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.xml.writing import format_nanoseconds

# How many versions of an object are shown.
_MAX_VERSIONS: Final = 10_000
_PAGE: Final = 1_000


class Preview(msgspec.Struct):
    """How an object is shown. `url` is None if the API returns it, or there are no previews."""

    kind: Kind
    url: str | None


class RetentionFields(msgspec.Struct):
    """Until when a version is kept."""

    mode: str
    until: str | None


class ObjectFields(msgspec.Struct):
    """An object as the API returns it. `tags` are those of jetstow, `s3_tags` those of S3."""

    name: str
    size: int
    chunks: int
    chunk_size: int
    digest: str | None
    nuid: str
    modified: str | None
    bucket_created: str | None
    revision: int
    content_type: str | None
    description: str | None
    headers: dict[str, list[str]]
    metadata: dict[str, str]
    tags: list[str]
    s3_tags: dict[str, str]
    link: LinkTarget | None
    encrypted: bool
    expires: str | None
    etag: str
    version: str | None
    latest: bool
    retention: RetentionFields | None
    legal_hold: bool
    editable: bool
    preview: Preview | None


class VersionFields(msgspec.Struct):
    """A version of an object, or a delete marker."""

    version: str
    latest: bool
    deleted: bool
    size: int
    modified: str | None
    digest: str | None


class _Share(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    seconds: int
    version: str | None = None


async def show(request: Request) -> Response:
    """Return the metadata of an object, or of one of its versions."""
    name, version = parse_name(request), request.query_params.get("version")
    bucket = request.path_params["bucket"]
    call = await open_call(request, bucket, "GetObject", key=name, version=version)
    info = await readable_info(call)
    return json_response(await describe(request, call, info))


async def describe(request: Request, call: Call, info: ObjectInfo) -> ObjectFields:
    """Return an object, which the caller may read, as the API returns it."""
    link = await link_target(call, info)
    is_latest = await _is_latest(call, info)
    retention = info.retention
    return ObjectFields(
        name=call.key,
        size=info.size or 0,
        chunks=info.chunks or 0,
        chunk_size=(info.options and info.options.max_chunk_size) or DEFAULT_CHUNK_SIZE,
        digest=info.digest,
        nuid=info.nuid,
        modified=iso_time(objects.modified_time(info)),
        bucket_created=iso_time(call.bucket.status.created),
        revision=info.revision,
        content_type=info.content_type,
        description=info.description,
        headers=_headers(info),
        metadata=objects.user_metadata(info),
        tags=info.tags,
        s3_tags=objects.object_tags(info) if may(call, "GetObjectTagging") else {},
        link=link,
        encrypted=info.encrypted,
        expires=iso_time(info.expires),
        etag=objects.etag(info).strip('"'),
        version=info.version,
        latest=is_latest,
        retention=(
            None
            if retention is None
            else RetentionFields(retention.mode, iso_time(retention.until))
        ),
        legal_hold=info.legal_hold,
        editable=is_latest and is_editable(call, info),
        preview=_preview(request, call, info),
    )


def is_editable(call: Call, info: ObjectInfo) -> bool:
    """Return whether the caller may change the metadata of an object."""
    key = call.identity.key
    if key is None or key.allow != "full" or call.bucket.status.sealed or info.link is not None:
        return False
    return not is_locked(info) and may(call, "CopyObject")


def is_locked(info: ObjectInfo) -> bool:
    """Return whether a version may not change now."""
    return info.legal_hold or (info.retention is not None and info.retention.is_active)


async def list_versions(request: Request) -> Response:
    """Return the versions of an object and its delete markers, the newest first."""
    name, bucket = parse_name(request), request.path_params["bucket"]
    call = await open_call(request, bucket, "ListObjectVersions", query={"prefix": name})
    found: list[VersionFields] = []
    after, after_version = "", None
    async with call.buckets.indexes.use(call.bucket.store) as index:
        while len(found) < _MAX_VERSIONS:
            page = await index.versions(name, after=after, after_version=after_version, limit=_PAGE)
            # The name itself is the first of those that begin with it.
            own = [entry for entry in page.entries if entry.name == name]
            found += (
                VersionFields(
                    version=entry.version or NULL_VERSION,
                    latest=not entry.is_kept,
                    deleted=entry.is_marker,
                    size=0 if entry.is_marker else entry.size,
                    modified=format_nanoseconds(objects.listed_time(entry)),
                    digest=entry.digest or None,
                )
                for entry in own
            )
            if page.next is None or len(own) < len(page.entries):
                break
            after, after_version = page.next, page.next_version
    return json_response({"versions": found})


async def share(request: Request) -> Response:
    """Return a presigned URL, with which everyone can read the object until it expires."""
    given = await read_json(request, _Share)
    if not 1 <= given.seconds <= MAX_EXPIRY:
        raise S3Error("InvalidArgument", f"seconds must be from 1 to {MAX_EXPIRY}.")
    bucket = request.path_params["bucket"]
    call = await open_call(request, bucket, "GetObject", key=given.name, version=given.version)
    await readable_info(call)
    base = origin(request)
    if base is None:
        raise S3Error("InvalidRequest", "The Host of the request is not valid.")
    if request.headers.get("origin", "").startswith("https:"):  # a proxy ends TLS
        base = base.replace("http:", "https:", 1)
    key, now = signed_in(request).key, call.now
    end = now + datetime.timedelta(seconds=given.seconds)
    return json_response({"url": _presigned(call, key, base, given), "expires": iso_time(end)})


def _presigned(call: Call, key: Key, base: str, given: _Share) -> str:
    return presigned_url(
        key,
        base,
        f"/{quote(call.bucket.name, safe='')}/{_quote_key(given.name)}",
        region=call.bucket.region,
        now=call.now,
        seconds=given.seconds,
        query=None if given.version is None else {"versionId": given.version},
    )


def _quote_key(key: str) -> str:
    """Return a key as a URL has it. Browsers resolve dot segments, but not between escaped slashes.

    Raises: `S3Error` (InvalidArgument).
    """
    if key in (".", ".."):
        message = f'Browsers cannot open a URL of the name "{key}". Rename the object to share it.'
        raise S3Error("InvalidArgument", message)
    has_dots = not {".", ".."}.isdisjoint(key.split("/"))
    return quote(key, safe="-_.~" if has_dots else "/-_.~")


async def _is_latest(call: Call, info: ObjectInfo) -> bool:
    """Return whether a version is the current one of its name."""
    if call.version is None:
        return True
    try:
        current = await call.bucket.store.get_info(call.key)
    except ObjectNotFoundError:
        return False
    return current.version == info.version


def _headers(info: ObjectInfo) -> dict[str, list[str]]:
    headers = ObjectHeaders(info.meta.headers or {})
    return headers.to_lists()


def _preview(request: Request, call: Call, info: ObjectInfo) -> Preview | None:
    if (kind := kind_of(info)) is None:
        return None
    previews, media_type = context_of(request).preview_origin(request), media_type_of(info)
    console = origin(request)
    if previews is None or media_type is None or console is None:
        return Preview(kind, None)
    key, expires = signed_in(request).key, int(call.now.timestamp()) + LIFETIME
    link = Link(
        key.access_key, expires, call.bucket.name, call.key, call.version, media_type, console
    )
    return Preview(kind, preview_url(previews, link, key))


ROUTES: Final = [
    Route("/buckets/{bucket}/object", show, methods=["GET"]),
    Route("/buckets/{bucket}/versions", list_versions, methods=["GET"]),
    Route("/buckets/{bucket}/share", share, methods=["POST"]),
]
