"""The files of the page: from the package, with an entity tag, compressed once.

The page names them with their version in the path, `static/@VERSION/app.js`, and so do the imports
of its modules, which are relative. Browsers keep these without asking again.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jetstow.console.errors import ConsoleError

FOLDER: Final = Path(__file__).parent / "static"
INDEX: Final = "index.html"
# How the page names the folder.
_STATIC: Final = b"/_console/static/"

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
_VERSIONED: Final = re.compile(r"@([0-9a-f]{16})/(.+)")
# Names without hidden files and without dot segments.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was when it had this time and size."""

    status: tuple[int, int]
    content: bytes
    compressed: bytes | None
    tag: str


@dataclass(frozen=True, slots=True)
class _Page:
    """The page as it was when the files had this version."""

    version: str
    file: _File


@dataclass(slots=True)
class _Cache:
    """What was read."""

    files: dict[str, _File] = field(default_factory=dict)
    page: _Page | None = None


_cache = _Cache()


def page_response(request: Request) -> Response:
    """Return the page: it shows what the path names."""
    return _respond(request, INDEX, _load_page().file, "no-cache")


def file_response(request: Request, name: str) -> Response:
    """Return a file of the page.

    Raises: `ConsoleError` (NotFound).
    """
    caching = "no-cache"
    if (versioned := _VERSIONED.fullmatch(name)) is not None:
        version, name = versioned.groups()
        # Another process may have served the page, also one of another release.
        if version == (_cache.page or _load_page()).version:
            caching = "public, max-age=31536000, immutable"
    return _respond(request, name, _load(name), caching)


def _respond(request: Request, name: str, file: _File, caching: str) -> Response:
    headers = {"cache-control": caching, "vary": "accept-encoding"}
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
    found = path.stat()
    status = (found.st_mtime_ns, found.st_size)
    file = _cache.files.get(name)
    if file is None or file.status != status:
        file = _cache.files[name] = _new_file(path.suffix, status, path.read_bytes())
    return file


def _load_page() -> _Page:
    """Return the page with the current version of the files."""
    paths = [path for path in FOLDER.rglob("*") if path.suffix in _TYPES]
    names = sorted(path.relative_to(FOLDER).as_posix() for path in paths)
    tags = [_load(name).tag for name in names if _NAME.fullmatch(name)]
    version = hashlib.sha256("".join(tags).encode()).hexdigest()[:16]
    page = _cache.page
    if page is None or page.version != version:
        index = _load(INDEX)
        content = index.content.replace(_STATIC, _STATIC + f"@{version}/".encode())
        page = _cache.page = _Page(version, _new_file(".html", index.status, content))
    return page


def _new_file(suffix: str, status: tuple[int, int], content: bytes) -> _File:
    compressed = gzip.compress(content, mtime=0) if suffix in _COMPRESSED else None
    return _File(status, content, compressed, hashlib.sha256(content).hexdigest()[:32])
