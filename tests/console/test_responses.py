"""Responses of the console: security headers, files of the page, hostile paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jetstow.console.security import PAGE_POLICY
from tests.support.s3_http import send

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole

# On each response.
HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def test_security_headers(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    page = b"<script>1</script>"
    s3.put_object(
        Bucket=s3_bucket, Key="a.html", Body=page, ContentType="text/html",
        ContentDisposition="inline",
    )  # fmt: skip
    responses = {
        client.get(f"{client.url}{path}")
        for path in (
            "/_console", "/_console/", "/_console/b/x", "/_console/static/index.html",
            "/_console/static/missing.js", "/_console/api/session", "/_console/api/missing",
            "/_console/api/", "/_console/api", "/_console/s3/", f"/_console/s3/{s3_bucket}",
            f"/_console/s3/{s3_bucket}/a.html", f"/_console/s3/{s3_bucket}/missing",
        )
    }  # fmt: skip
    responses |= {client.post(f"{client.url}/_console/"), client.put("session")}
    for response in responses:
        path = response.url.path
        assert {name: response.headers.get(name) for name in HEADERS} == HEADERS, path
        policy = response.headers["content-security-policy"]
        if "/s3/" in path:
            assert policy == "sandbox; default-src 'none'"
        else:
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
            assert "unsafe" not in policy
            assert f"frame-src {client.session['preview']};" in policy
    stored = client.s3("GET", f"{s3_bucket}/a.html")
    assert stored.headers["content-disposition"].startswith("attachment;")
    assert stored.headers["content-type"] == "text/html"


def test_pages_of_objects_are_in_a_sandbox(
    console: RunningConsole, s3: Any, s3_bucket: str
) -> None:
    """A page of a bucket, opened by a presigned URL, had the origin of the console."""
    for key, content_type in (("a.html", "text/html"), ("a.svg", "image/svg+xml")):
        s3.put_object(Bucket=s3_bucket, Key=key, Body=b"1", ContentType=content_type)
        url = s3.generate_presigned_url("get_object", Params={"Bucket": s3_bucket, "Key": key})
        response = send(console, "GET", url.removeprefix(console.url))
        assert response.status == 200
        assert response.headers["content-security-policy"] == PAGE_POLICY
        assert "allow-same-origin" not in PAGE_POLICY
    missing = send(console, "GET", f"/{s3_bucket}/missing")
    assert missing.headers["content-security-policy"] == PAGE_POLICY


def test_files_of_the_page(client: ConsoleClient) -> None:
    index = client.get(f"{client.url}/_console/")
    assert index.status_code == 200
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert index.headers["cache-control"] == "no-cache"
    assert index.headers["content-encoding"] == "gzip"
    plain = client.get(f"{client.url}/_console/", headers={"accept-encoding": "identity"})
    assert plain.text == index.text
    assert plain.headers["etag"] != index.headers["etag"]
    for response in (index, plain):
        headers = {
            "if-none-match": response.headers["etag"],
            "accept-encoding": response.headers.get("content-encoding", "identity"),
        }
        again = client.get(f"{client.url}/_console/any/other?path", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
    paths = re.findall(r'"(/_console/static/@[^"]+)"', index.text)
    assert len(paths) == index.text.count("/_console/static/")
    for path in paths:
        assert "immutable" in client.get(client.url + path).headers["cache-control"]
    # Of another release, and without a version.
    for path in (f"/_console/static/@{'0' * 16}/app.js", "/_console/static/app.js"):
        script = client.get(client.url + path)
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert script.headers["cache-control"] == "no-cache"
    assert client.head(f"{client.url}/_console/").content == b""


def test_hostile_paths(console: RunningConsole) -> None:
    """Each gets a response: none leaves the folder of the page or fails."""
    for path, status in (
        ("/_console/static/../app.py", 404),
        ("/_console/static/%2e%2e/app.py", 404),
        ("/_console/static/..%2fapp.py", 404),
        ("/_console/static//etc/passwd", 404),
        ("/_console/static/%00", 404),
        ("/_console/static/.hidden", 404),
        ("/_console/static/vendor", 404),
        ("/_console/static/", 404),
        ("/_console/static/app.js/", 404),
        (f"/_console/static/@{'0' * 16}/../app.py", 404),
        (f"/_console/static/@{'0' * 16}/", 404),
        ("/_console/../_console/api/session", 200),  # the page
        ("/_console/api/session/", 404),
        ("/_console/api//session", 404),
        ("/_console/api/..%2fsession", 404),
        ("/_console/%2e%2e/", 200),
        ("/_console/%ff", 200),
        ("/_console/api/%ff", 404),
        ("/_consolex/", 404),
        ("/%5fconsole/", 404),
        ("/_console?a=%ff", 308),
    ):
        for method in ("GET", "HEAD"):
            cookies = {"cookie": console.sign_in_cookie()}
            response = send(console, method, path, headers=cookies)
            assert response.status == status, (method, path, response.body)


def test_errors_are_json(client: ConsoleClient) -> None:
    missing = client.get("missing").json()["error"]
    assert missing["code"] == "NotFound"
    assert len(missing["request_id"]) == 16
    method = client.put("session")
    assert (method.status_code, method.json()["error"]["code"]) == (405, "MethodNotAllowed")
    bucket = client.s3("GET", "no-such-bucket-there")
    assert "<Code>NoSuchBucket</Code>" in bucket.text
