"""Objects of the console: the operations of S3 with the permissions of the session's key."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.gateway import LIMITED, OTHER, READER, WRITER

if TYPE_CHECKING:
    from tests.support.console import ConsoleClient, RunningConsole


def test_put_get_list_and_delete(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    key = "photos/ä +%?&#/b.txt"
    path = f"{s3_bucket}/{quote(key, safe='')}"
    # Browsers add the cache-control.
    headers = {"content-type": "text/plain", "x-amz-meta-by": "me", "cache-control": "max-age=0"}
    assert client.s3("PUT", path, content=b"hello", headers=headers).status_code == 200
    got = client.s3("GET", path, headers={"range": "bytes=1-3"})
    assert (got.status_code, got.content) == (206, b"ell")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''b.txt"
    head = client.s3("HEAD", path)
    assert (head.headers["content-length"], head.headers["x-amz-meta-by"]) == ("5", "me")
    assert s3.head_object(Bucket=s3_bucket, Key=key).get("CacheControl") is None
    listed = client.s3("GET", f"{s3_bucket}?list-type=2&encoding-type=url")
    assert quote(key, safe="/") in listed.text
    assert client.s3("DELETE", path).status_code == 204
    assert client.s3("GET", path).status_code == 404


@pytest.mark.parametrize("key", ["a/../b", "../x", "//a", ".", "a/./b", "%2e%2e", "\x01", "a\nb"])
def test_hostile_key_is_kept(client: ConsoleClient, s3: Any, s3_bucket: str, key: str) -> None:
    # httpx removes dot segments, as browsers do.
    path = f"{s3_bucket}/{quote(key, safe='').replace('.', '%2E')}"
    assert client.s3("PUT", path, content=b"1").status_code == 200
    assert s3.get_object(Bucket=s3_bucket, Key=key)["Body"].read() == b"1"
    assert client.s3("GET", path).content == b"1"


def test_key_in_the_query(
    console: RunningConsole, client: ConsoleClient, s3: Any, s3_bucket: str
) -> None:
    """Browsers and proxies change dot segments and slashes in a path: the key has another place."""
    for key in (".", "..", "a/../b", "/b", "a//b", "b/", "ä +%&=?#"):
        target = f"@name/{s3_bucket}?{urlencode({'name': key})}"
        assert client.s3("PUT", target, content=key.encode()).status_code == 200
        assert s3.get_object(Bucket=s3_bucket, Key=key)["Body"].read() == key.encode()
        got = client.s3("GET", f"{target}&versionId=null")
        assert got.content == key.encode()
        assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        with console.sign_in(READER) as reader:
            assert reader.s3("DELETE", target).status_code == 403
        assert client.s3("DELETE", target).status_code == 204
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)
    for rest in ("/a?name=b", "?name=a&name=b", "?name=%FF", "?name=", "?", "?versionId=null"):
        for method in ("PUT", "DELETE"):
            assert client.s3(method, f"@name/{s3_bucket}{rest}").status_code == 400, rest
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


def test_multipart_upload(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    path = f"{s3_bucket}/big"
    upload = client.s3("POST", f"{path}?uploads").text
    upload_id = upload.partition("<UploadId>")[2].partition("<")[0]
    part = bytes(5 * 1024 * 1024)
    tags = [
        client.s3("PUT", f"{path}?partNumber={n}&uploadId={upload_id}", content=body).headers[
            "etag"
        ]
        for n, body in ((1, part), (2, b"end"))
    ]
    parts = "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>"
        for n, tag in enumerate(tags, 1)
    )
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
    done = client.s3("POST", f"{path}?uploadId={upload_id}", content=document.encode())
    assert done.status_code == 200, done.text
    assert s3.head_object(Bucket=s3_bucket, Key="big")["ContentLength"] == len(part) + 3


def test_permissions_of_the_key(
    console: RunningConsole, client: ConsoleClient, s3_bucket: str
) -> None:
    assert client.s3("PUT", f"{s3_bucket}/a", content=b"1").status_code == 200
    expected = {
        # key: (list, get, put, delete, delete the bucket, list the buckets)
        READER: (200, 200, 403, 403, 403, 200),
        WRITER: (403, 403, 200, 204, 409, 403),
        LIMITED: (403, 403, 403, 403, 403, 200),
        OTHER: (403, 403, 403, 403, 403, 200),
    }
    for key, statuses in expected.items():
        with console.sign_in(key) as other:
            got = (
                other.s3("GET", f"{s3_bucket}?list-type=2").status_code,
                other.s3("GET", f"{s3_bucket}/a").status_code,
                other.s3("PUT", f"{s3_bucket}/b", content=b"1").status_code,
                other.s3("DELETE", f"{s3_bucket}/b").status_code,
                other.s3("DELETE", s3_bucket).status_code,
                other.s3("GET", "").status_code,
            )
            names = other.s3("GET", "").text
        assert got == statuses, key
        assert (s3_bucket in names) == (key is READER), key


def test_locked_version(client: ConsoleClient, s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    version = s3.put_object(
        Bucket=bucket, Key="a", Body=b"1", ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
    )["VersionId"]  # fmt: skip
    path = f"{bucket}/a?versionId={version}"
    assert client.s3("DELETE", path).status_code == 403
    assert client.s3("GET", path).content == b"1"
    bypass = {"x-amz-bypass-governance-retention": "true"}
    assert client.s3("DELETE", path, headers=bypass).status_code == 204
    s3.delete_bucket(Bucket=bucket)


def test_no_session(console: RunningConsole, s3_bucket: str) -> None:
    from tests.support.console import ConsoleClient, error_code

    with ConsoleClient(console.url) as stranger:
        for method, path in (
            ("GET", ""),
            ("GET", s3_bucket),
            ("GET", f"{s3_bucket}/a"),
            ("PUT", f"{s3_bucket}/a"),
            ("OPTIONS", f"{s3_bucket}/a"),
            ("POST", f"{s3_bucket}?delete"),
        ):
            response = stranger.s3(method, path)
            assert (response.status_code, error_code(response)) == (401, "SignInRequired")


def test_signature_and_form_are_not_taken(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    """The identity is that of the session, whatever a request says about itself."""
    url = s3.generate_presigned_url("get_object", Params={"Bucket": s3_bucket, "Key": "a"})
    query = url.partition("?")[2]
    assert client.s3("PUT", f"{s3_bucket}/a?{query}", content=b"1").status_code == 200
    headers = {"authorization": "AWS4-HMAC-SHA256 Credential=x"}
    assert client.s3("GET", f"{s3_bucket}/a", headers=headers).content == b"1"
    form = client.s3("POST", s3_bucket, data={"key": "b"}, files={"file": b"1"})
    assert form.status_code == 400
    assert client.s3("GET", f"{s3_bucket}/b").status_code == 404


def test_cors_of_the_bucket_does_not_apply(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket=s3_bucket, CORSConfiguration={"CORSRules": [rule]})
    response = client.s3("GET", s3_bucket, headers={"origin": client.url})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def test_objects_are_not_loaded_as_code(client: ConsoleClient, s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a.js", Body=b"1", ContentType="text/javascript")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": s3_bucket, "Key": "a.js"})
    for destination in ("script", "style", "worker", "serviceworker", "iframe", "object"):
        headers = {"sec-fetch-dest": destination, "sec-fetch-site": "same-origin"}
        assert client.s3("GET", f"{s3_bucket}/a.js", headers=headers).status_code == 403
        assert client.get(url, headers=headers).status_code == 403
    for destination in ("image", "video", "empty", "document"):
        headers = {"sec-fetch-dest": destination, "sec-fetch-site": "same-origin"}
        assert client.s3("GET", f"{s3_bucket}/a.js", headers=headers).status_code == 200
    headers = {"sec-fetch-dest": "script", "sec-fetch-site": "cross-site"}
    assert client.get(url, headers=headers).status_code == 200
