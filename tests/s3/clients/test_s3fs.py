"""s3fs, in an environment of its own: it pins an older botocore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.s3.clients.conftest import BIN

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run

PROGRAM = """
import os, sys
import s3fs

root = sys.argv[1]
fs = s3fs.S3FileSystem(use_listings_cache=False)
fs.pipe(f"{root}/d/a b", b"hello")
assert fs.cat(f"{root}/d/a b") == b"hello"
assert fs.cat_file(f"{root}/d/a b", start=-3) == b"llo"
assert fs.cat_file(f"{root}/d/a b", start=1, end=3) == b"el"
large = os.urandom(11 * 1024 * 1024)
with fs.open(f"{root}/d/large", "wb", block_size=5 * 1024 * 1024) as file:
    file.write(large)
with fs.open(f"{root}/d/large", "rb") as file:
    file.seek(5_000_000)
    assert file.read(2_000_000) == large[5_000_000:7_000_000]
assert fs.cat(f"{root}/d/large") == large
assert fs.info(f"{root}/d/large")["size"] == len(large)
assert fs.isdir(f"{root}/d") and fs.isfile(f"{root}/d/a b") and not fs.exists(f"{root}/e")
assert fs.ls(f"{root}/d", detail=False) == [f"{root}/d/a b", f"{root}/d/large"]
assert fs.glob(f"{root}/**/l*") == [f"{root}/d/large"]
fs.copy(f"{root}/d/large", f"{root}/e/copy")
fs.mv(f"{root}/d/a b", f"{root}/e/moved")
assert fs.find(root) == [f"{root}/d/large", f"{root}/e/copy", f"{root}/e/moved"]
assert fs.cat(f"{root}/e/copy") == large
fs.setxattr(f"{root}/e/moved", colour="red")
assert fs.getxattr(f"{root}/e/moved", "colour") == "red"
fs.put_tags(f"{root}/e/moved", {"tag": "value"})
assert fs.get_tags(f"{root}/e/moved") == {"tag": "value"}
fs.rm(f"{root}/d", recursive=True)
try:
    fs.cat(f"{root}/d/large")
except FileNotFoundError:
    print("done")
"""


def test_s3fs(run: Run, s3: Any, s3_bucket: str) -> None:
    assert run(str(BIN / "python"), "-c", PROGRAM, s3_bucket) == "done\n"
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    assert keys == ["e/copy", "e/moved"]
    assert s3.get_object(Bucket=s3_bucket, Key="e/moved")["Body"].read() == b"hello"
