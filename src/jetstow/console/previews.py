"""Previews: which objects have one, and the signed links to them on the other listener."""

from __future__ import annotations

import base64
import binascii
import hmac
import mimetypes
import re
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from jetstow.console.sessions import signing_key
from jetstow.models import ObjectInfo
from jetstow.s3.auth.keys import Key, Keys

Kind = Literal["text", "json", "csv", "parquet", "image", "audio", "video", "pdf"]

# How long a link to a preview is valid, in seconds.
LIFETIME: Final = 600

_PURPOSE: Final = b"jetstow console preview"
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{1,8000})\.([A-Za-z0-9_-]{43})")

PDF: Final = "application/pdf"
# The types that a browser shows from the origin of previews, and no others. It plays an object of
# another type as nothing, and shows its bytes as text.
_MEDIA: Final[dict[str, Kind]] = {
    **dict.fromkeys(
        (
            "image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/svg+xml",
            "image/vnd.microsoft.icon", "image/webp", "image/x-icon",
        ),
        "image",
    ),
    **dict.fromkeys(
        (
            "audio/aac", "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav",
            "audio/webm", "audio/x-flac", "audio/x-wav",
        ),
        "audio",
    ),
    **dict.fromkeys(("video/mp4", "video/ogg", "video/webm"), "video"),
    PDF: "pdf",
}  # fmt: skip
_DATA: Final[dict[str, Kind]] = {
    "application/json": "json",
    "application/vnd.apache.parquet": "parquet",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
}
_TEXTS: Final = frozenset({
    "application/javascript", "application/sql", "application/toml", "application/x-httpd-php",
    "application/x-ndjson", "application/x-sh", "application/x-tex", "application/x-yaml",
    "application/xml", "application/yaml",
})  # fmt: skip
_BY_ENDING: Final[dict[str, Kind]] = {
    "parquet": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    **dict.fromkeys(
        (
            "c", "cfg", "conf", "cpp", "css", "env", "go", "h", "hpp", "ini", "ipynb", "java",
            "js", "jsonl", "jsx", "kt", "log", "lua", "md", "mjs", "ndjson", "php", "pl",
            "properties", "proto", "ps1", "py", "rb", "rs", "rst", "sh", "sql", "swift", "tex",
            "tf", "toml", "ts", "tsx", "txt", "xml", "yaml", "yml",
        ),
        "text",
    ),
}  # fmt: skip
# What clients send that do not know the type.
_UNKNOWN: Final = frozenset({
    "", "application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream",
})  # fmt: skip
_IDENTITY: Final = frozenset({"", "identity"})


class Link(msgspec.Struct, array_like=True):
    """What a link to a preview names. `origin` is that of the console, whose page may show it."""

    access_key: str
    expires: int
    bucket: str
    name: str
    version: str | None
    media_type: str
    origin: str

    def encode(self, key: Key) -> str:
        """Return the token of the link, signed with the secret of the access key."""
        payload = _encode(msgspec.json.encode(self))
        return f"{payload}.{_sign(key, payload)}"


def find_link(keys: Keys, token: str, now: float) -> tuple[Link, Key] | None:
    """Return what a token names, and its access key.

    None if it is not signed with the secret of the key, if it has expired, or the key is revoked.
    """
    if (match := _TOKEN.fullmatch(token)) is None:
        return None
    payload, signature = match.groups()
    try:
        link = msgspec.json.decode(_decode(payload), type=Link)
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError):
        return None
    key = keys.find(link.access_key)
    if key is None or link.expires <= now:
        return None
    return (link, key) if hmac.compare_digest(_sign(key, payload), signature) else None


def kind_of(info: ObjectInfo) -> Kind | None:
    """Return how an object is shown, by its content type and its name; None if it is not."""
    if info.encrypted or _header(info, "content-encoding") not in _IDENTITY:
        return None
    media_type, ending = _media_type(info), _ending(info.name)
    kind = _MEDIA.get(media_type) or _DATA.get(media_type)
    if kind is not None:
        return kind
    if media_type in _UNKNOWN or media_type == "text/plain" or media_type in _TEXTS:
        kind = _BY_ENDING.get(ending)
    if kind is None and (media_type.startswith("text/") or media_type in _TEXTS):
        kind = "json" if media_type.endswith("+json") else "text"
    return "json" if kind is None and media_type.endswith("+json") else kind


def media_type_of(info: ObjectInfo) -> str | None:
    """Return the type with which the preview of an object is served; None if it has none."""
    media_type = _media_type(info)
    return media_type if media_type in _MEDIA and kind_of(info) is not None else None


def preview_url(preview_origin: str, link: Link, key: Key) -> str:
    """Return the URL of a preview. It ends with the last part of the name, for the browser."""
    return f"{preview_origin}/{link.encode(key)}/{quote(file_name(link.name), safe='')}"


def file_name(name: str) -> str:
    """Return the last part of a name, under which browsers store the object."""
    last = name.rstrip("/").rpartition("/")[2]
    return "object" if last in ("", ".", "..") else last


def _media_type(info: ObjectInfo) -> str:
    """Return the type that the object has, or that of its name if it has none of its own."""
    media_type = (info.content_type or "").partition(";")[0].strip().lower()
    if media_type in _UNKNOWN:
        media_type = mimetypes.guess_type(f"name.{_ending(info.name)}", strict=False)[0] or ""
    return media_type


def _ending(name: str) -> str:
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    return ending.lower() if dot else ""


def _header(info: ObjectInfo, name: str) -> str:
    values = (value for key, value in (info.headers or {}).items() if key.lower() == name)
    value = next(values, "")
    return (value if isinstance(value, str) else ",".join(value)).strip().lower()


def _sign(key: Key, payload: str) -> str:
    return _encode(hmac.digest(signing_key(key, _PURPOSE), payload.encode(), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
