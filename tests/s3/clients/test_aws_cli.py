"""The aws command line: cp, sync, mv, rm, ls, presign, s3api."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run

TREE = ["a b+c.txt", "empty", "large", "sub/größe ☃"]


def test_aws_copy_move_presign(run: Run, s3: Any, s3_bucket: str, tree: Path) -> None:
    url = f"s3://{s3_bucket}"
    # A file of 9 MiB is sent as a multipart upload.
    run("aws", "s3", "cp", "--no-progress", str(tree / "large"), f"{url}/large")
    assert s3.head_object(Bucket=s3_bucket, Key="large")["ETag"].endswith('-2"')
    run("aws", "s3", "mv", "--no-progress", f"{url}/large", f"{url}/moved")
    run("aws", "s3", "cp", "--no-progress", f"{url}/moved", str(tree / "back"))
    assert (tree / "back").read_bytes() == (tree / "large").read_bytes()
    answer = httpx.get(run("aws", "s3", "presign", f"{url}/moved").strip())
    assert (answer.status_code, answer.content) == (200, (tree / "large").read_bytes())
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert keys == ["moved"]


def test_aws_sync_and_remove(run: Run, s3: Any, s3_bucket: str, tree: Path, tmp_path: Path) -> None:
    """The first parts of `large` follow the empty file, on the same connection.

    An empty body whose client expected "100 Continue" got the response only. botocore could then
    not parse the next response on the connection, and waited forever.
    """
    url = f"s3://{s3_bucket}/tree"
    run("aws", "s3", "sync", "--no-progress", str(tree), url)
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert keys == [f"tree/{name}" for name in TREE]
    run("aws", "s3", "sync", "--no-progress", url, str(tmp_path / "back"))
    for name in TREE:
        assert (tmp_path / "back" / name).read_bytes() == (tree / name).read_bytes()
    run("aws", "s3", "rm", "--recursive", url)
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


@pytest.mark.slow
def test_aws_sync_again(run: Run, s3: Any, s3_bucket: str, tree: Path) -> None:
    url = f"s3://{s3_bucket}/tree"
    run("aws", "s3", "sync", "--no-progress", str(tree), url)
    assert run("aws", "s3", "sync", "--no-progress", str(tree), url) == ""
    (tree / "empty").unlink()
    run("aws", "s3", "sync", "--no-progress", "--delete", str(tree), url)
    listed = run("aws", "s3", "ls", "--recursive", url).splitlines()
    assert [line.split(maxsplit=3)[3] for line in listed] == [
        f"tree/{name}" for name in TREE if name != "empty"
    ]


@pytest.mark.slow
def test_aws_api(run: Run, bucket: str, tmp_path: Path) -> None:
    run("aws", "s3", "mb", f"s3://{bucket}")
    run("aws", "s3", "cp", "-", f"s3://{bucket}/stdin", stdin=b"from a pipe")
    assert run("aws", "s3", "cp", f"s3://{bucket}/stdin", "-") == "from a pipe"
    (tmp_path / "body").write_bytes(b"hello")
    common = ("--bucket", bucket, "--key", "a")
    run("aws", "s3api", "put-object", *common, "--body", "body", "--metadata", "a=b")
    head = json.loads(run("aws", "s3api", "head-object", *common, "--checksum-mode", "ENABLED"))
    assert (head["ContentLength"], head["Metadata"]) == (5, {"a": "b"})
    assert head["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    run("aws", "s3api", "get-object", *common, "--range", "bytes=1-3", "part")
    assert (tmp_path / "part").read_bytes() == b"ell"
    run("aws", "s3", "rb", "--force", f"s3://{bucket}")
    run("aws", "s3api", "head-bucket", "--bucket", bucket, code=255)
