"""Buckets that a gateway creates in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.cli import wait_until
from tests.support.cluster import Cluster
from tests.support.gateway import new_client
from tests.support.multipart import Upload
from tests.support.served import Served


@contextmanager
def cluster_and_gateway(home: Path) -> Iterator[tuple[Cluster, Served]]:
    """Start a cluster, and a gateway on its first node whose new buckets have three replicas."""
    with (
        Cluster() as cluster,
        Served(cluster.urls[0], "--replicas", "3", home=home) as served,
    ):
        yield cluster, served


def test_all_new_buckets_have_replicas(tmp_path: Path, bucket: str) -> None:
    """Those of the gateway itself, too: the records of uploads, the spool and the locks."""
    with cluster_and_gateway(tmp_path) as (cluster, served):
        s3 = new_client(served.url, served.key)
        s3.create_bucket(Bucket=bucket)
        s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
        )
        upload = Upload(s3, bucket, "a")
        upload.put(1, b"data")
        upload.put(1, b"sent again with other bytes")
        streams = cluster.leader().monitor("jsz?accounts=1&streams=1&config=1")
        found = {
            stream["name"]: stream["config"]["num_replicas"]
            for stream in streams["account_details"][0]["stream_detail"]
        }
        own = ("KV_JETSTOW_S3_UPLOADS", "OBJ_JETSTOW_S3_LOCKS", "OBJ_JETSTOW_S3_SPOOL")
        assert found == dict.fromkeys((f"OBJ_{bucket}", *own), 3)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_server_that_hangs(tmp_path: Path, bucket: str) -> None:
    """The gateway answered 503 for six minutes, although the other two servers worked."""
    with cluster_and_gateway(tmp_path) as (cluster, served):
        s3 = new_client(served.url, served.key)
        s3.create_bucket(Bucket=bucket)
        cluster.nodes[0].pause()
        wait_until(lambda: is_available(s3, bucket))
        s3.put_object(Bucket=bucket, Key="a", Body=b"data")
        cluster.nodes[0].resume()


def is_available(s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        return False
    return True
