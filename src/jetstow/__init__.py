"""jetstow: the object store for NATS JetStream.

    import asyncio
    import jetstow

    async def main():
        async with jetstow.connect() as nc:
            store = await nc.jetstream().create_object_store("configs")
            await store.put("greeting", b"hello")
            print((await store.get("greeting")).data)

    asyncio.run(main())

The wire format is ADR-20, as in every other NATS client: the stream `OBJ_<bucket>` holds an
object's chunks on `$O.<bucket>.C.<nuid>` and its metadata, one JSON message, on
`$O.<bucket>.M.<base64url(name)>`.
"""

from jetstow._lazy import lazy_names

# Type checkers treat a variable of this name as true. The import of `typing` takes as long as all
# else that this module does.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from jetstow._connect import connect
    from jetstow._transfer.archive import backup, restore
    from jetstow._transfer.folders import download_folder, upload_folder
    from jetstow._transfer.mirror import mirror
    from jetstow.client import Client, JetStreamContext, jetstream
    from jetstow.models import (
        BucketConfig,
        BucketStatus,
        FileInfo,
        ObjectHeaders,
        ObjectInfo,
        ObjectLink,
        ObjectMeta,
        ObjectMetaOptions,
        ObjectResult,
        Placement,
        Retention,
        StorageType,
        StoreCompression,
    )
    from jetstow.store import (
        BucketIndex,
        DeletedPage,
        IndexEntry,
        IndexPage,
        ObjectReader,
        ObjectStore,
        ObjectWatcher,
        ObjectWriter,
        VersionCounts,
        VersionPage,
    )
    from jetstow.types import (
        BackupResult,
        DeleteResult,
        Finding,
        GarbageResult,
        MirrorResult,
        RestoreResult,
        StoredChunks,
        SyncResult,
        VerifyResult,
    )
else:
    _NAMES = {
        "jetstow._connect": ["connect"],
        "jetstow._transfer.archive": ["backup", "restore"],
        "jetstow._transfer.folders": ["download_folder", "upload_folder"],
        "jetstow._transfer.mirror": ["mirror"],
        "jetstow.client": ["Client", "JetStreamContext", "jetstream"],
        "jetstow.models": [
            "BucketConfig", "BucketStatus", "FileInfo", "ObjectHeaders", "ObjectInfo",
            "ObjectLink", "ObjectMeta", "ObjectMetaOptions", "ObjectResult", "Placement",
            "Retention", "StorageType", "StoreCompression",
        ],
        "jetstow.store": [
            "BucketIndex", "DeletedPage", "IndexEntry", "IndexPage", "ObjectReader", "ObjectStore",
            "ObjectWatcher", "ObjectWriter", "VersionCounts", "VersionPage",
        ],
        "jetstow.types": [
            "BackupResult", "DeleteResult", "Finding", "GarbageResult", "MirrorResult",
            "RestoreResult", "StoredChunks", "SyncResult", "VerifyResult",
        ],
    }  # fmt: skip
    __getattr__, __dir__ = lazy_names(
        globals(), _NAMES, ["client", "errors", "models", "store", "types"]
    )

__version__ = "0.1.0"

__all__ = [
    "BackupResult",
    "BucketConfig",
    "BucketIndex",
    "BucketStatus",
    "Client",
    "DeleteResult",
    "DeletedPage",
    "FileInfo",
    "Finding",
    "GarbageResult",
    "IndexEntry",
    "IndexPage",
    "JetStreamContext",
    "MirrorResult",
    "ObjectHeaders",
    "ObjectInfo",
    "ObjectLink",
    "ObjectMeta",
    "ObjectMetaOptions",
    "ObjectReader",
    "ObjectResult",
    "ObjectStore",
    "ObjectWatcher",
    "ObjectWriter",
    "Placement",
    "RestoreResult",
    "Retention",
    "StorageType",
    "StoreCompression",
    "StoredChunks",
    "SyncResult",
    "VerifyResult",
    "VersionCounts",
    "VersionPage",
    "backup",
    "connect",
    "download_folder",
    "jetstream",
    "mirror",
    "restore",
    "upload_folder",
]
