"""Previews from the other listener: their headers, ranges, and who gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jetstow.console import object_api
from tests.support.console import error_code
from tests.support.gateway import OTHER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole


def url_of(client: ConsoleClient, bucket: str, name: str, **query: str) -> str:
    path = f"buckets/{bucket}/object"
    shown = client.get(path, params={"name": name, **query}).json()
    return str(shown["preview"]["url"])


def test_preview(console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(
        Bucket=s3_bucket, Key="a/ü b.svg", Body=b"<svg/>", ContentType="image/svg+xml",
        ContentDisposition="attachment", CacheControl="public", Metadata={"k": "v"},
    )  # fmt: skip
    url = url_of(client, s3_bucket, "a/ü b.svg")
    assert url.startswith(client.session["preview"] + "/")
    assert not url.startswith(console.url)
    response = httpx.get(url, headers={"origin": "http://evil", "cookie": "x=y"})
    assert (response.status_code, response.content) == (200, b"<svg/>")
    headers = dict(response.headers)
    for name in ("date", "last-modified", "etag"):
        assert headers.pop(name)
    assert headers == {
        "content-type": "image/svg+xml",
        "content-length": "6",
        "accept-ranges": "bytes",
        "content-disposition": "inline",
        "cache-control": "private, no-cache",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "content-security-policy": (
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
            f"media-src 'self'; frame-ancestors {console.url}; sandbox"
        ),
    }
    again = httpx.get(url, headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


def test_ranges(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    data = bytes(range(256)) * 2_000
    s3.put_object(Bucket=s3_bucket, Key="a.mp4", Body=data)
    url = url_of(client, s3_bucket, "a.mp4")
    part = httpx.get(url, headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, data[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(data)}"
    assert part.headers["content-type"] == "video/mp4"
    head = httpx.head(url)
    assert (head.headers["content-length"], head.content) == (str(len(data)), b"")
    beyond = httpx.get(url, headers={"range": "bytes=999999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-type"] == "text/plain; charset=utf-8"
    assert httpx.post(url).status_code == 405


def test_version_and_pdf(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """The type is that of the object when the link was made. Chromium shows no PDF in a sandbox."""
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=s3_bucket, Key="a.pdf", Body=b"old")["VersionId"]
    old = url_of(client, s3_bucket, "a.pdf", version=first)
    current = url_of(client, s3_bucket, "a.pdf")
    s3.put_object(Bucket=s3_bucket, Key="a.pdf", Body=b"<html>", ContentType="text/html")
    assert httpx.get(old).content == b"old"
    response = httpx.get(current)
    assert (response.content, response.headers["content-type"]) == (b"<html>", "application/pdf")
    assert "sandbox" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    s3.delete_object(Bucket=s3_bucket, Key="a.pdf")
    gone = httpx.get(current)
    assert (gone.status_code, gone.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert "sandbox" in gone.headers["content-security-policy"]


def test_links_are_checked(
    console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    s3.put_object(Bucket=s3_bucket, Key="a.png", Body=b"x")
    s3.put_object_acl(Bucket=s3_bucket, Key="a.png", GrantRead=f"id={OTHER.owner}")
    with console.sign_in(OTHER) as other:
        url = url_of(other, s3_bucket, "a.png")
    assert httpx.get(url).content == b"x"
    s3.put_object_acl(Bucket=s3_bucket, Key="a.png", ACL="private")
    assert httpx.get(url).status_code == 403, "the permission was taken away"
    origin, token, _ = url.rsplit("/", 2)
    for bad in ("", "/", f"/{token}x/a.png", f"/{token[:-1]}/a.png", "/%00/x", "//", "/a.b/c"):
        assert httpx.get(origin + bad).status_code == 403
    monkeypatch.setattr(object_api, "LIFETIME", -1)
    expired = httpx.get(url_of(client, s3_bucket, "a.png"))
    assert expired.status_code == 403
    assert expired.headers["x-content-type-options"] == "nosniff"


def test_hostile_host(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """The host name of a request is part of a policy: it must not add directives to it."""
    s3.put_object(Bucket=s3_bucket, Key="a.png", Body=b"x")
    path = f"buckets/{s3_bucket}/object"
    for host in ("evil.example; script-src *", "a b", "["):
        response = client.get(path, params={"name": "a.png"}, headers={"host": host})
        assert response.status_code in (200, 400)
        if response.status_code == 200:
            assert response.json()["preview"]["url"] is None


def test_no_previews_without_a_listener(console: RunningConsole, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a.png", Body=b"x")
    context = console.console.context
    port, context.preview_port = context.preview_port, None
    try:
        with console.sign_in() as client:
            shown = client.get(f"buckets/{s3_bucket}/object?name=a.png").json()
            assert shown["preview"] == {"kind": "image", "url": None}
    finally:
        context.preview_port = port
    with console.sign_in() as client:
        assert error_code(client.get(f"buckets/{s3_bucket}/object?name=b")) == "NoSuchKey"
