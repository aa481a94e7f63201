"""curl with --aws-sigv4."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run
    from tests.support.gateway import RunningGateway


@pytest.fixture
def curl(run: Run) -> Run:
    return lambda *arguments, **options: run(
        "curl", "--silent", "--show-error", "--fail-with-body", "--aws-sigv4",
        f"aws:amz:{REGION}:s3", "--user", f"{OWNER.access_key}:{OWNER.secret_key}",
        "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", *arguments, **options,
    )  # fmt: skip


def test_curl(
    curl: Run, gateway: RunningGateway, s3: Any, bucket: str, tree: Path, tmp_path: Path
) -> None:
    url = f"{gateway.url}/{bucket}"
    curl("--request", "PUT", url)
    curl("--upload-file", str(tree / "large"), f"{url}/d/large")  # with Expect: 100-continue
    assert (
        s3.get_object(Bucket=bucket, Key="d/large")["Body"].read() == (tree / "large").read_bytes()
    )
    curl("--output", "back", f"{url}/d/large")
    assert (tmp_path / "back").read_bytes() == (tree / "large").read_bytes()
    curl("--range", "2-9", "--output", "back", f"{url}/d/large")
    assert (tmp_path / "back").read_bytes() == (tree / "large").read_bytes()[2:10]
    assert f"content-length: {9 * 1024 * 1024}" in curl("--head", f"{url}/d/large").lower()
    assert "<Key>d/large</Key>" in curl(f"{url}/?list-type=2")
    curl("--request", "DELETE", f"{url}/d/large")
    assert "<Code>NoSuchKey</Code>" in curl(f"{url}/d/large", code=22)
    curl("--request", "DELETE", url)
    assert "<Code>NoSuchBucket</Code>" in curl(url, code=22)
