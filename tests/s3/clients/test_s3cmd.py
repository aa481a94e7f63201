"""s3cmd: mb, put, get, ls, sync, cp, mv, del, setacl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gateway import OWNER

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run
    from tests.support.gateway import RunningGateway


@pytest.fixture
def s3cmd(run: Run, gateway: RunningGateway, tmp_path: Path) -> Run:
    address = f"{gateway.host}:{gateway.port}"
    settings = {
        "access_key": OWNER.access_key, "secret_key": OWNER.secret_key, "use_https": False,
        "host_base": address, "host_bucket": address, "max_retries": 1,
    }  # fmt: skip
    lines = (f"{name} = {value}\n" for name, value in settings.items())
    (tmp_path / "s3cfg").write_text("[default]\n" + "".join(lines))
    return lambda *arguments, **options: run(
        "s3cmd", "-c", "s3cfg", "--no-progress", *arguments, **options
    )


def test_s3cmd_commands(s3cmd: Run, s3: Any, bucket: str, tree: Path, tmp_path: Path) -> None:
    url = f"s3://{bucket}"
    s3cmd("mb", url)
    s3cmd("put", "--multipart-chunk-size-mb=5", str(tree / "large"), f"{url}/d/large")
    assert (
        s3.get_object(Bucket=bucket, Key="d/large")["Body"].read() == (tree / "large").read_bytes()
    )
    s3cmd("put", "--add-header=x-amz-meta-a:b", str(tree / "a b+c.txt"), f"{url}/d/a b+c")
    assert s3.head_object(Bucket=bucket, Key="d/a b+c")["Metadata"]["a"] == "b"
    s3cmd("get", f"{url}/d/a b+c", "back")
    assert (tmp_path / "back").read_bytes() == b"text"
    lines = s3cmd("ls", "-r", url).splitlines()
    assert [line.split(maxsplit=3)[2:] for line in lines] == [
        ["4", f"{url}/d/a b+c"], [str(9 * 1024 * 1024), f"{url}/d/large"],
    ]  # fmt: skip
    assert s3cmd("ls", url).split() == ["DIR", f"{url}/d/"]
    s3cmd("cp", f"{url}/d/a b+c", f"{url}/copy")
    s3cmd("mv", f"{url}/copy", f"{url}/moved")
    s3cmd("setacl", "--acl-private", f"{url}/moved")
    assert "FULL_CONTROL" in s3cmd("info", f"{url}/moved")
    assert s3.get_object(Bucket=bucket, Key="moved")["Body"].read() == b"text"
    s3cmd("del", f"{url}/moved")
    s3cmd("rb", "--recursive", url)
    assert bucket not in s3cmd("ls")


def test_s3cmd_sync(s3cmd: Run, s3: Any, s3_bucket: str, tree: Path, tmp_path: Path) -> None:
    s3cmd("sync", f"{tree}/", f"s3://{s3_bucket}/")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert keys == ["a b+c.txt", "empty", "large", "sub/größe ☃"]
    (tree / "empty").unlink()
    s3cmd("sync", "--delete-removed", f"{tree}/", f"s3://{s3_bucket}/")
    s3cmd("sync", f"s3://{s3_bucket}/", f"{tmp_path}/back/")
    back = {path.name: path.read_bytes() for path in (tmp_path / "back").rglob("*.*")}
    assert back == {"a b+c.txt": b"text"}
    assert (tmp_path / "back" / "sub" / "größe ☃").read_bytes() == b"snow"
    s3cmd("del", "--recursive", "--force", f"s3://{s3_bucket}/")
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0
