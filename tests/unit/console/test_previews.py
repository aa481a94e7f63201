"""Which objects have a preview, and the links to them."""

from __future__ import annotations

from typing import Any

import pytest

from jetstow.console.previews import Link, find_link, kind_of, media_type_of, preview_url
from jetstow.models import ObjectHeaders, ObjectInfo
from jetstow.s3 import Key, Keys

KEY = Key("ACCESS", "secret")
LINK = Link("ACCESS", 1_000, "b", "a/ü <x>.png", None, "image/png", "http://console:1")


def info(name: str, **headers: str) -> ObjectInfo:
    fields: dict[str, Any] = {k.replace("_", "-"): v for k, v in headers.items()}
    return ObjectInfo(name=name, bucket="b", nuid="n", headers=ObjectHeaders(fields))


@pytest.mark.parametrize(
    ("name", "content_type", "kind", "media_type"),
    [
        ("a.png", "", "image", "image/png"),
        ("a", "image/jpeg; x=1", "image", "image/jpeg"),
        ("a.png", "binary/octet-stream", "image", "image/png"),
        ("a.svg", "image/svg+xml", "image", "image/svg+xml"),
        ("a.html", "text/html", "text", None),
        ("a.html", "application/octet-stream", "text", None),
        ("evil.png", "text/html", "text", None),
        ("a.mp4", "", "video", "video/mp4"),
        ("a.mp3", "", "audio", "audio/mpeg"),
        ("a.pdf", "", "pdf", "application/pdf"),
        ("a.csv", "text/plain", "csv", None),
        ("a.json", "", "json", None),
        ("a", "application/ld+json", "json", None),
        ("a.parquet", "binary/octet-stream", "parquet", None),
        ("a.py", "", "text", None),
        ("a.log", "", "text", None),
        ("a.xml", "application/xml", "text", None),
        ("a.zip", "", None, None),
        ("a", "", None, None),
        ("a.exe", "application/x-msdownload", None, None),
    ],
)
def test_kind(name: str, content_type: str, kind: str | None, media_type: str | None) -> None:
    found = info(name, Content_Type=content_type) if content_type else info(name)
    assert (kind_of(found), media_type_of(found)) == (kind, media_type)


def test_no_preview_of_bytes_that_are_something_else() -> None:
    assert kind_of(info("a.png", Content_Encoding="gzip")) is None
    assert kind_of(info("a.png", Content_Encoding="identity")) == "image"
    assert kind_of(info("a.png", Jetstow_Encryption="A256GCM")) is None


def test_link() -> None:
    url = preview_url("http://p:2", LINK, KEY)
    origin, token, filename = url.rsplit("/", 2)
    assert (origin, filename) == ("http://p:2", "%C3%BC%20%3Cx%3E.png")
    assert find_link(Keys([KEY]), token, 999) == (LINK, KEY)
    assert find_link(Keys([KEY]), token, 1_000) is None, "it has expired"
    assert find_link(Keys([Key("ACCESS", "other")]), token, 0) is None, "another secret"
    assert find_link(Keys([]), token, 0) is None, "a revoked key"
    payload, signature = token.split(".")
    forged = Link("ACCESS", 9_999, "b", "secret", None, "text/html", "x").encode(Key("A", "x"))
    for bad in (
        "", ".", payload, f"{payload}.", f"{payload}.{signature[:-1]}", f"{payload}x.{signature}",
        forged, f"{forged.split('.')[0]}.{signature}", "é.é", "W10." + signature,
    ):  # fmt: skip
        assert find_link(Keys([KEY]), bad, 0) is None, bad
