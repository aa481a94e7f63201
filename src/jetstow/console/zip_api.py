"""Download selected objects and folders as a zip archive."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow import ObjectReader
from jetstow.console.access import object_call, open_bucket, open_call, signed_in
from jetstow.console.names import sizes_below
from jetstow.console.reading import open_readable
from jetstow.console.streaming import Streamed
from jetstow.console.zip_names import archive_paths
from jetstow.console.zip_stream import zip_pieces
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error, to_s3_error


async def archive(request: Request) -> Response:
    """Send objects as a zip archive: those of `names`, and all below `prefixes`.

    Without both, all below `prefix`. That is left out of the paths in the archive.
    """
    name, query = request.path_params["bucket"], request.query_params
    names, prefixes = query.getlist("names"), query.getlist("prefixes")
    base = query.get("prefix", "")
    base = base[: base.rfind("/") + 1]
    if not names and not prefixes:
        prefixes = [query.get("prefix", "")]
    below: dict[str, int] = {}
    for prefix in _outermost(prefixes):
        call = await open_call(request, name, "ListObjectsV2", query={"prefix": prefix})
        below |= await sizes_below(call, [prefix])
    bucket = await open_bucket(request, name, "GetObject")
    # Folders are part of the paths. Some clients of S3 store an empty object for a folder, too.
    shown = {each for each, size in below.items() if size or not each.endswith("/")}
    selected = [*dict.fromkeys((*names, *sorted(shown)))]
    if not all(each.startswith(base) for each in selected):
        base = ""
    if not selected:
        raise S3Error("NoSuchKey", "There is no object to download.")
    paths = await asyncio.to_thread(archive_paths, selected, len(base))
    # An error of the first object still has its own status.
    await (await _open(request, bucket, selected[0])).close()

    async def open_object(each: str) -> ObjectReader | None:
        try:
            return await _open(request, bucket, each)
        except Exception as error:
            if each in below and to_s3_error(error).code == "NoSuchKey":
                return None  # deleted since the folder was listed
            raise

    label = base.rstrip("/").rpartition("/")[2] or name
    disposition = f"attachment; filename*=UTF-8''{quote(f'{label}.zip', safe='')}"
    headers = {"content-disposition": disposition, "cache-control": "no-store"}
    return Streamed(zip_pieces(paths, open_object), "application/zip", headers)


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
