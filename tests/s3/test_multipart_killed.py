"""A gateway that is killed in the middle of a multipart upload."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.gateway import new_client
from tests.support.multipart import MIB, Peek, Upload, begin_part, multipart_etag
from tests.support.served import Served
from tests.support.servers import NatsServer

PARTS = [os.urandom(5 * MIB + 1001), os.urandom(5 * MIB), b"the rest"]


def test_upload_outlives_the_gateway(server: NatsServer, bucket: str, tmp_path: Path) -> None:
    """What it has acknowledged is there. A part that it was receiving is sent again."""
    with Served(server.url, home=tmp_path) as served:
        client = new_client(served.url, served.key)
        client.create_bucket(Bucket=bucket)
        upload = Upload(client, bucket, "a")
        upload.put(1, PARTS[0])
        upload.put(2, PARTS[1])
        half = begin_part(served, upload, 3, 8 * MIB, key=served.key, Expect="100-continue")
        half.recv(1024)
        half.sendall(PARTS[0][: 3 * MIB])
        served.signal(signal.SIGKILL)
        served.wait()
    half.close()
    with Served(server.url, home=tmp_path) as served, Peek(server.url) as peek:
        client = new_client(served.url, served.key)
        upload = upload.at(client)
        upload.put(3, PARTS[2])
        assert upload.complete()["ETag"] == multipart_etag(PARTS)
        got = client.get_object(Bucket=bucket, Key="a")["Body"].read()
        assert got == b"".join(PARTS)
        assert peek.garbage(bucket) == peek.spooled(upload) == 0
