"""rclone: sync, check, copies, moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run
    from tests.support.gateway import RunningGateway


@pytest.fixture
def rclone(run: Run, gateway: RunningGateway, environment: dict[str, str]) -> Run:
    environment |= {
        "RCLONE_CONFIG_GW_TYPE": "s3",
        "RCLONE_CONFIG_GW_PROVIDER": "Other",
        "RCLONE_CONFIG_GW_ENDPOINT": gateway.url,
        "RCLONE_CONFIG_GW_REGION": REGION,
        "RCLONE_CONFIG_GW_ACCESS_KEY_ID": OWNER.access_key,
        "RCLONE_CONFIG_GW_SECRET_ACCESS_KEY": OWNER.secret_key,
        "RCLONE_RETRIES": "1",
    }
    return lambda *arguments, **options: run("rclone", *arguments, **options)


def test_rclone_sync_and_check(
    rclone: Run, s3: Any, s3_bucket: str, tree: Path, tmp_path: Path
) -> None:
    remote = f"gw:{s3_bucket}/tree"
    rclone("sync", "--s3-upload-cutoff=5Mi", "--s3-chunk-size=5Mi", str(tree), remote)
    rclone("check", "--download", str(tree), remote)
    rclone("check", str(tree), remote)  # by MD5: of a multipart upload in the metadata
    assert s3.head_object(Bucket=s3_bucket, Key="tree/large")["ETag"].endswith('-2"')
    (tree / "a b+c.txt").write_bytes(b"changed")
    (tree / "empty").unlink()
    rclone("check", str(tree), remote, code=1)
    rclone("sync", str(tree), remote)
    rclone("check", str(tree), remote)
    rclone("copy", remote, str(tmp_path / "back"))
    for path in (path for path in tree.rglob("*") if path.is_file()):
        assert (tmp_path / "back" / path.relative_to(tree)).read_bytes() == path.read_bytes()


def test_rclone_commands(rclone: Run, s3: Any, bucket: str) -> None:
    rclone("mkdir", f"gw:{bucket}")
    rclone("rcat", f"gw:{bucket}/d/a", stdin=b"hello")
    assert rclone("cat", "--offset=1", "--count=3", f"gw:{bucket}/d/a") == "ell"
    rclone("moveto", f"gw:{bucket}/d/a", f"gw:{bucket}/d/b c")
    (entry,) = json.loads(rclone("lsjson", "-R", "--hash", "--files-only", f"gw:{bucket}"))
    assert (entry["Path"], entry["Size"]) == ("d/b c", 5)
    assert entry["Hashes"]["md5"] == "5d41402abc4b2a76b9719d911017c592"
    rclone("purge", f"gw:{bucket}")
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
