"""Download selected objects and folders as a zip archive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import ObjectReader
from jetstow.console.access import object_call, open_bucket, open_call, signed_in
from jetstow.console.names import sizes_below
from jetstow.console.open_responses import count_open
from jetstow.console.reading import open_readable
from jetstow.console.streaming import Streamed
from jetstow.console.zip_names import archive_paths
from jetstow.console.zip_stream import zip_pieces
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error, to_s3_error

# The archives of an access key in a worker. Each keeps all names that it has.
MAX_ZIPS: Final = 8


async def archive(request: Request) -> Response:
    """Send objects as a zip archive: those of `names`, and all below `prefixes`.

    Without both, all below `prefix`. That is left out of the paths in the archive.
    """
    message = f"The key downloads {MAX_ZIPS} zips: wait for one."
    on_end = count_open(request, "zip", MAX_ZIPS, message)
    try:
        pieces, label = await _archive(request)
    except BaseException:
        on_end()
        raise
    disposition = f"attachment; filename*=UTF-8''{quote(f'{label}.zip', safe='')}"
    headers = {"content-disposition": disposition, "cache-control": "no-store"}
    return Streamed(pieces, "application/zip", headers, on_end=on_end)


async def _archive(request: Request) -> tuple[AsyncGenerator[bytes, None], str]:
    """Return the bytes of an archive, and its name without the ending.

    Raises: `S3Error` (NoSuchKey, AccessDenied).
    """
    name, query = request.path_params["bucket"], request.query_params
    names, prefixes = query.getlist("names"), query.getlist("prefixes")
    base = query.get("prefix", "")
    base = base[: base.rfind("/") + 1]
    if not names and not prefixes:
        prefixes = [query.get("prefix", "")]
    below: list[dict[str, int]] = []
    for prefix in _outermost(prefixes):
        call = await open_call(request, name, "ListObjectsV2", query={"prefix": prefix})
        below.append(await sizes_below(call, [prefix]))
    bucket = await open_bucket(request, name, "GetObject")
    # A million names would block the event loop for seconds.
    paths, base = await asyncio.to_thread(_select, names, below, base)
    first = next(iter(paths), None)
    if first is None:
        raise S3Error("NoSuchKey", "There is no object to download.")
    # An error of the first object still has its own status.
    await (await _open(request, bucket, first)).close()

    async def open_object(each: str) -> ObjectReader | None:
        try:
            return await _open(request, bucket, each)
        except Exception as error:
            is_listed = any(each in sizes for sizes in below)
            if is_listed and to_s3_error(error).code == "NoSuchKey":
                return None  # deleted since the folder was listed
            raise

    return zip_pieces(paths, open_object), base.rstrip("/").rpartition("/")[2] or name


def _select(names: list[str], below: list[dict[str, int]], base: str) -> tuple[dict[str, str], str]:
    """Return a path in the archive for each name, and what is left out at the start of all names.

    `below` are the sizes of the objects below folders, by name.
    """
    # Folders are part of the paths. Some clients of S3 store an empty object for a folder, too.
    shown = (
        each for sizes in below for each, size in sizes.items() if size or not each.endswith("/")
    )
    selected = [*dict.fromkeys((*names, *shown))]
    if not all(each.startswith(base) for each in selected):
        base = ""
    return archive_paths(selected, len(base)), base


def _outermost(prefixes: list[str]) -> list[str]:
    """Return prefixes without those that begin with another one."""
    found: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not found or not prefix.startswith(found[-1]):
            found.append(prefix)
    return found


async def _open(request: Request, bucket: Bucket, name: str) -> ObjectReader:
    signed_in(request).check()  # an archive may take longer than the session
    call = object_call(request, bucket, "GetObject", name)
    return await open_readable(call, prefetch=True)


ROUTES: Final = [Route("/buckets/{bucket}/zip", archive, methods=["GET"])]
