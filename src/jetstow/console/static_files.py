"""The files of the page: from the package, with an entity tag, compressed once."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jetstow.console.errors import ConsoleError

FOLDER: Final = Path(__file__).parent / "static"
INDEX: Final = "index.html"

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_COMPRESSED: Final = frozenset({".css", ".html", ".js", ".svg", ".txt"})
# Names without hidden files and without dot segments.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was when it had this time and size."""

    version: tuple[int, int]
    content: bytes
    compressed: bytes | None
    tag: str


_files: dict[str, _File] = {}


def page_response(request: Request) -> Response:
    """Return the page: it shows what the path names."""
    return file_response(request, INDEX)


def file_response(request: Request, name: str) -> Response:
    """Return a file of the page.

    Raises: `ConsoleError` (NotFound).
    """
    file = _load(name)
    headers = {"cache-control": "no-cache", "vary": "accept-encoding"}
    content, tag = file.content, file.tag
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content, tag = file.compressed, f"{tag}-gzip"
        headers["content-encoding"] = "gzip"
    headers["etag"] = f'"{tag}"'
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["content-type"] = _TYPES[Path(name).suffix]
    return Response(content, headers=headers)


def _load(name: str) -> _File:
    path = FOLDER / name
    if not _NAME.fullmatch(name) or path.suffix not in _TYPES or not path.is_file():
        raise ConsoleError("NotFound")
    status = path.stat()
    version = (status.st_mtime_ns, status.st_size)
    file = _files.get(name)
    if file is None or file.version != version:
        content = path.read_bytes()
        compressed = gzip.compress(content, mtime=0) if path.suffix in _COMPRESSED else None
        tag = hashlib.sha256(content).hexdigest()[:32]
        file = _files[name] = _File(version, content, compressed, tag)
    return file
