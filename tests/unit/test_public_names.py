"""The public names of jetstow. A change of these lists is a change of the public interface."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import jetstow

RESULTS = [
    "BackupResult", "DeleteResult", "Finding", "GarbageResult", "MirrorResult", "RestoreResult",
    "StoredChunks", "SyncResult", "VerifyResult",
]  # fmt: skip
MODELS = [
    "BucketConfig", "BucketStatus", "FileInfo", "ObjectHeaders", "ObjectInfo", "ObjectLink",
    "ObjectMeta", "ObjectMetaOptions", "ObjectResult", "Placement", "Retention", "StorageType",
    "StoreCompression",
]  # fmt: skip
INDEX = [
    "BucketIndex", "DeletedPage", "IndexEntry", "IndexPage", "VersionCounts", "VersionPage",
]  # fmt: skip
RESOURCES = [*INDEX, "ObjectReader", "ObjectStore", "ObjectWatcher", "ObjectWriter"]
CLIENT = ["Client", "JetStreamContext", "jetstream"]
FUNCTIONS = ["backup", "connect", "download_folder", "mirror", "restore", "upload_folder"]

PUBLIC = {
    "jetstow": [*RESULTS, *MODELS, *RESOURCES, *CLIENT, *FUNCTIONS],
    "jetstow.cli": ["main"],
    "jetstow.client": CLIENT,
    "jetstow.console": ["Console", "PreviewApp"],
    "jetstow.errors": [
        "AuthorizationError", "BadArchiveError", "BadObjectMetaError", "BucketExistsError",
        "BucketFullError", "BucketNotFoundError", "BucketSealedError", "ChunksLostError",
        "ConnectionLostError", "ContextError", "DigestMismatchError", "EmbeddedServerError",
        "IntegrityError", "InvalidBucketNameError", "InvalidDataError", "InvalidObjectNameError",
        "InvalidOptionError", "InvalidRangeError", "JetStreamUnavailableError", "JetstowError",
        "LinkError", "LinkIsABucketError", "NoServersError", "ObjectAlreadyExists",
        "ObjectChangedError", "ObjectDeletedError", "ObjectEncryptedError", "ObjectLockedError",
        "ObjectNotFoundError",
        "ObjectUnchangedError", "PermissionDeniedError", "RevisionMismatchError", "ServerError",
        "SizeMismatchError", "TamperedError", "TimeoutError", "WatcherStoppedError",
        "WrongEventLoopError", "WrongStreamError",
    ],
    "jetstow.fs": ["JetstowFileSystem"],
    "jetstow.http": [
        "Files", "ObjectResponse", "Selection", "condition_headers", "content_headers",
        "entity_tag", "select",
    ],
    "jetstow.models": [*MODELS, "ObjectList"],
    "jetstow.s3": ["Gateway", "Key", "Keys", "keep_uploads"],
    "jetstow.store": RESOURCES,
    "jetstow.sync": [
        *RESULTS, *MODELS, *RESOURCES, *CLIENT, *FUNCTIONS, "__version__", "errors", "types",
    ],
    "jetstow.testing": ["jetstow_bucket", "jetstow_server", "jetstow_store"],
    "jetstow.types": [
        *RESULTS, "Age", "BaseConnectOptions", "BlockingConnectOptions", "BlockingData",
        "BucketOptions", "ConnectOptions", "Data", "Duration", "JetStreamOptions", "Match",
        "Progress", "Readable", "Since", "Writable",
    ],
}  # fmt: skip

# The modules of these packages are internal: only the names of the package itself are public.
INTERNAL = (
    "jetstow.cli",
    "jetstow.console",
    "jetstow.fs",
    "jetstow.http",
    "jetstow.s3",
    "jetstow.store",
)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name: str) -> None:
    assert sorted(importlib.import_module(name).__all__) == sorted(PUBLIC[name])


@pytest.mark.parametrize("name", PUBLIC)
def test_own_names_are_public_or_underscored(name: str) -> None:
    module = importlib.import_module(name)
    own = {
        attribute
        for attribute, value in vars(module).items()
        if getattr(value, "__module__", None) == name and not attribute.startswith("_")
    }
    assert own <= set(module.__all__)


def test_other_modules_are_underscored() -> None:
    modules = {"jetstow", *(m.name for m in pkgutil.walk_packages(jetstow.__path__, "jetstow."))}
    public = {
        name
        for name in modules
        if not any(part.startswith("_") for part in name.split("."))
        and not name.startswith(tuple(f"{package}." for package in INTERNAL))
    }
    assert public == set(PUBLIC)
