"""A multipart upload by boto3, step by step."""

from __future__ import annotations

import copy
import hashlib
import socket
from collections.abc import Iterable
from typing import Any, Self

import jetstow.sync as jetstow
from jetstow.errors import BucketNotFoundError
from jetstow.s3 import Key
from tests.support.gateway import OWNER
from tests.support.s3_http import Address, connect, request_head, signed_headers

MIB = 1024 * 1024


class Upload:
    """An upload. `etags` has those of the parts that were sent, by number."""

    def __init__(self, client: Any, bucket: str, key: str, **options: Any) -> None:
        self._client = client
        created = client.create_multipart_upload(Bucket=bucket, Key=key, **options)
        self.created = created
        self.id = created["UploadId"]
        self.place = {"Bucket": bucket, "Key": key, "UploadId": self.id}
        self.etags: dict[int, str] = {}
        self.sums: dict[int, dict[str, str]] = {}

    def put(self, number: int, data: bytes, **options: Any) -> Any:
        if (algorithm := self.created.get("ChecksumAlgorithm")) is not None:
            options.setdefault("ChecksumAlgorithm", algorithm)
        sent = self._client.upload_part(**self.place, PartNumber=number, Body=data, **options)
        self._remember(number, sent)
        return sent

    def copy_part(self, number: int, bucket: str, key: str, **options: Any) -> Any:
        source = {"Bucket": bucket, "Key": key}
        sent = self._client.upload_part_copy(
            **self.place, PartNumber=number, CopySource=source, **options
        )
        self._remember(number, sent["CopyPartResult"])
        return sent

    def complete(self, *numbers: int, **options: Any) -> Any:
        parts = [
            {"PartNumber": number, "ETag": self.etags.get(number, "0" * 32)}
            | self.sums.get(number, {})
            for number in numbers or sorted(self.etags)
        ]
        return self._client.complete_multipart_upload(
            **self.place, MultipartUpload={"Parts": parts}, **options
        )

    def at(self, client: Any) -> Upload:
        """Return the same upload through another client."""
        other = copy.copy(self)
        other._client = client
        return other

    def abort(self) -> Any:
        return self._client.abort_multipart_upload(**self.place)

    def list_parts(self, **options: Any) -> Any:
        return self._client.list_parts(**self.place, **options)

    def _remember(self, number: int, sent: Any) -> None:
        self.etags[number] = sent["ETag"]
        self.sums[number] = {
            name: value
            for name, value in sent.items()
            if name.startswith("Checksum") and name != "ChecksumType"
        }


class Peek:
    """What the gateway's bucket and spool have, as a NATS client sees it."""

    def __init__(self, url: str) -> None:
        self._client = jetstow.connect(url)
        self._js = self._client.jetstream()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def spooled(self, upload: Upload | None = None, *, ever: bool = False) -> int:
        """Count parts in the spool, of one upload or all; with `ever`, those that were there."""
        try:
            store = self._js.object_store("JETSTOW_S3_SPOOL")
        except BucketNotFoundError:
            return 0
        prefix = "" if upload is None else f"{upload.id}/"
        return len(store.list(prefix=prefix, ignore_deletes=not ever))

    def garbage(self, bucket: str) -> int:
        """Count the uploads of which only chunks are left."""
        store = self._js.object_store(bucket.replace(".", "_"))
        return store.collect_garbage(grace=0, dry_run=True).uploads

    def collect(self, bucket: str, *, keep: bool) -> int:
        """Collect the garbage of a bucket. Return of how many uploads."""
        store = self._js.object_store(bucket.replace(".", "_"))
        return store.collect_garbage(grace=0, keep=list if keep else None).uploads


def begin_part(
    gateway: Address, upload: Upload, number: int, size: int, *, key: Key = OWNER, **headers: str
) -> socket.socket:
    """Send the head of an UploadPart, and none of its bytes. Return the connection."""
    place = upload.place
    target = f"/{place['Bucket']}/{place['Key']}?uploadId={upload.id}&partNumber={number}"
    headers = {"Content-Length": str(size), **headers}
    signed = signed_headers(gateway, "PUT", target, key=key, headers=headers)
    stream = connect(gateway)
    stream.sendall(request_head("PUT", target, {"Host": f"{gateway.host}:{gateway.port}"} | signed))
    return stream


def multipart_etag(parts: Iterable[bytes]) -> str:
    """Return the ETag of an object of parts, in quotes."""
    digests = [hashlib.md5(part).digest() for part in parts]
    return f'"{hashlib.md5(b"".join(digests)).hexdigest()}-{len(digests)}"'
