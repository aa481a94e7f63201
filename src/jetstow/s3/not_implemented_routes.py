"""The routes of features that are not implemented: answered as S3 answers for what is not set up.

Reading returns an error of its own, or an empty document. Deleting what is not there succeeds.
Setting is NotImplemented. All of them are for the owner of an existing bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.result import Result, no_content
from jetstow.s3.route import BUCKET, OBJECT, Handler, Route
from jetstow.s3.versions import find_version
from jetstow.s3.xml.writing import document, text


def _refuses(code: str, message: str = "") -> Handler:
    async def refuse(call: Call) -> Result:
        raise S3Error(code, message, BucketName=call.bucket.name)

    return refuse


def _returns(name: str, *children: str) -> Handler:
    async def return_document(call: Call) -> Result:  # noqa: ARG001
        return Result(xml=document(name, *children))

    return return_document


def _lists(name: str) -> Handler:
    async def list_none(call: Call) -> Result:
        if "id" in call.request.query:
            raise S3Error("NoSuchConfiguration", BucketName=call.bucket.name)
        return Result(xml=document(name, text("IsTruncated", False)))

    return list_none


async def _delete_nothing(call: Call) -> Result:  # noqa: ARG001
    return no_content()


async def _refuse_restore(call: Call) -> Result:
    """Refuse to restore an object, as S3 does if it is not in an archive."""
    info = await find_version(call.bucket, call.key, call.version)
    raise S3Error(
        "InvalidObjectState",
        "Restore is not allowed for the object's current storage class",
        StorageClass="STANDARD", Key=info.name,
    )  # fmt: skip


# The parameter, the end of the operation's name, and what reading it returns.
_OF_BUCKETS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("accelerate", "AccelerateConfiguration", _returns("AccelerateConfiguration")),
    ("analytics", "AnalyticsConfiguration", _lists("ListBucketAnalyticsConfigurationResult")),
    ("encryption", "Encryption", _refuses("ServerSideEncryptionConfigurationNotFoundError")),
    (
        "intelligent-tiering",
        "IntelligentTieringConfiguration",
        _lists("ListBucketIntelligentTieringConfigurationsOutput"),
    ),
    ("inventory", "InventoryConfiguration", _lists("ListInventoryConfigurationsResult")),
    ("logging", "Logging", _returns("BucketLoggingStatus")),
    ("metrics", "MetricsConfiguration", _lists("ListMetricsConfigurationsResult")),
    ("replication", "Replication", _refuses("ReplicationConfigurationNotFoundError")),
    (
        "requestPayment",
        "RequestPayment",
        _returns("RequestPaymentConfiguration", text("Payer", "BucketOwner")),
    ),
)


# Those of them that S3 can delete.
_DELETABLE: Final = frozenset({
    "analytics", "encryption", "intelligent-tiering", "inventory", "metrics", "replication",
})  # fmt: skip


def _bucket_routes() -> Iterator[Route]:
    for query, name, read in _OF_BUCKETS:
        yield Route(f"GetBucket{name}", "GET", BUCKET, read, Access.READ, query)
        refuse = _refuses("NotImplemented", f"?{query} is not implemented.")
        yield Route(f"PutBucket{name}", "PUT", BUCKET, refuse, Access.WRITE, query)
        if query in _DELETABLE:
            delete = _delete_nothing
            yield Route(f"DeleteBucket{name}", "DELETE", BUCKET, delete, Access.WRITE, query)


def _object_routes() -> Iterator[Route]:
    version = ("versionId",)
    torrent = _refuses("NoSuchKey")
    yield Route("GetObjectTorrent", "GET", OBJECT, torrent, Access.READ, "torrent")
    yield Route(
        "RestoreObject", "POST", OBJECT, _refuse_restore, Access.WRITE, "restore", accepts=version
    )


NOT_IMPLEMENTED_ROUTES: Final = (*_bucket_routes(), *_object_routes())
