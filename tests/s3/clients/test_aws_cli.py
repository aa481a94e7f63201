"""The aws command line: cp, sync, mv, rm, ls, presign, s3api."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run

TREE = ["a b+c.txt", "empty", "large", "sub/größe ☃"]


def test_aws_copy_move_and_presign(run: Run, s3: Any, s3_bucket: str, tree: Path) -> None:
    large = (tree / "large").read_bytes()
    url = f"s3://{s3_bucket}"
    # A file of 9 MiB goes as a multipart upload.
    run("aws", "s3", "cp", "--no-progress", str(tree / "large"), f"{url}/large")
    assert s3.get_object(Bucket=s3_bucket, Key="large")["Body"].read() == large
    assert s3.head_object(Bucket=s3_bucket, Key="large")["ETag"].endswith('-2"')
    run("aws", "s3", "mv", "--no-progress", f"{url}/large", f"{url}/moved")
    run("aws", "s3", "cp", "--no-progress", f"{url}/moved", str(tree / "back"))
    assert (tree / "back").read_bytes() == large
    run("aws", "s3", "cp", "-", f"{url}/stdin", stdin=b"from a pipe")
    answer = httpx.get(run("aws", "s3", "presign", f"{url}/stdin").strip())
    assert (answer.status_code, answer.content) == (200, b"from a pipe")
    listed = run("aws", "s3", "ls", url).splitlines()
    assert [line.split()[2:] for line in listed] == [[str(len(large)), "moved"], ["11", "stdin"]]


def test_aws_sync_and_remove(run: Run, s3: Any, s3_bucket: str, tree: Path, tmp_path: Path) -> None:
    url = f"s3://{s3_bucket}/tree"
    run("aws", "s3", "sync", "--no-progress", str(tree), url)
    assert run("aws", "s3", "sync", "--no-progress", str(tree), url) == ""
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert keys == [f"tree/{name}" for name in TREE]
    run("aws", "s3", "sync", "--no-progress", url, str(tmp_path / "back"))
    for name in TREE:
        assert (tmp_path / "back" / name).read_bytes() == (tree / name).read_bytes()
    (tree / "empty").unlink()
    run("aws", "s3", "sync", "--no-progress", "--delete", str(tree), url)
    assert "empty" not in run("aws", "s3", "ls", "--recursive", url)
    run("aws", "s3", "rm", "--recursive", url)
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_aws_api(run: Run, bucket: str, tmp_path: Path) -> None:
    run("aws", "s3", "mb", f"s3://{bucket}")
    (tmp_path / "body").write_bytes(b"hello")
    common = ("--bucket", bucket, "--key", "a")
    run("aws", "s3api", "put-object", *common, "--body", "body", "--metadata", "a=b")
    head = json.loads(run("aws", "s3api", "head-object", *common, "--checksum-mode", "ENABLED"))
    assert (head["ContentLength"], head["Metadata"]) == (5, {"a": "b"})
    assert head["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    run("aws", "s3api", "get-object", *common, "--range", "bytes=1-3", "part")
    assert (tmp_path / "part").read_bytes() == b"ell"
    run("aws", "s3", "rb", "--force", f"s3://{bucket}")
    run("aws", "s3api", "head-bucket", "--bucket", bucket, code=254)
