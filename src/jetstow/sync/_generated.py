"""The blocking verbs. Generated: do not edit.

`python scripts/generate_sync.py` writes this file. `make lint` fails if it is not up to date.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from typing import Literal, Self, Unpack, overload

from nats.js import api
from typing_extensions import Buffer

import jetstow
from jetstow.models import BucketStatus, FileInfo, ObjectInfo, ObjectList, ObjectResult, Retention
from jetstow.sync import _adapters
from jetstow.sync._base import ContextBase, StoreBase
from jetstow.sync._call import Call, run
from jetstow.sync._index import BucketIndex
from jetstow.sync._iterate import iterate
from jetstow.sync._reader import ObjectReader
from jetstow.sync._watcher import ObjectWatcher
from jetstow.sync._writer import ObjectWriter
from jetstow.types import (
    Age,
    BackupResult,
    BlockingData,
    BucketOptions,
    DeleteResult,
    Duration,
    GarbageResult,
    Match,
    MirrorResult,
    Progress,
    Readable,
    RestoreResult,
    Since,
    StoredChunks,
    SyncResult,
    VerifyResult,
    Writable,
)


class ObjectStore(StoreBase):
    """The object store of one bucket (ADR-20). `JetStreamContext.object_store` opens it.

    Every method can raise `ConnectionLostError`, `TimeoutError` (the server sent nothing for
    longer than the context's timeout), `PermissionDeniedError`, `JetStreamUnavailableError` and
    `BucketNotFoundError`. A method that changes objects can also raise `BucketSealedError` and
    `BucketFullError`; one that takes a name, `InvalidObjectNameError`. Each method lists its
    other errors.
    """

    def put(
        self,
        name: str | None,
        data: BlockingData,
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store bytes under a name, replacing the object that has it.

        The old object can be read until the new one is complete. A put that fails or is interrupted
        leaves no object and no chunk. If two clients put the same name, the last to finish wins.

        `data` is bytes-like, a str (stored as UTF-8), a file (binary or text), or an iterable of
        bytes. `description`, `content_type`, `tags`, `headers` and `metadata` describe it, as the
        fields of `ObjectMeta` do. `meta` may have them instead, and `options.max_chunk_size` in
        bytes (default: 128 KiB), and the name if `name` is None.

        With `expected_revision`, the put succeeds only if the object is at that revision; 0: only
        if there is no such object. The object expires after `ttl` (seconds or a timedelta, rounded
        up to seconds; server 2.11+); watchers do not report that. Source: ADR-20; ADR-43 for `ttl`.

        With `expected_digest`, in the form of `info.digest` or `info.sha256`, bytes with another
        digest are not stored. `keep_replaced` leaves the chunks of the replaced object, whose info
        is the result's `replaced`: keep its `nuid`, and see `collect_garbage`. The server reports
        the time of a write by a request of its own: without `dated`, `modified` of the result is
        None, and there is no such request.

        Raises: `InvalidDataError`, `InvalidOptionError` (also for a field that is in `meta` and an
        argument), `LinkError`, `ObjectAlreadyExists`
        (`expected_revision` is 0), `RevisionMismatchError`, `DigestMismatchError`
        (`expected_digest`), `ObjectChangedError` (`data` is a file on disk that changed while it
        was read), and what reading `data` raises.
        """
        call = Call()
        return call.run(
            self.async_store().put,
            name,
            _adapters.async_source(call, data),
            meta,
            description=description,
            content_type=content_type,
            tags=_adapters.collected(tags),
            headers=headers,
            metadata=metadata,
            expected_revision=expected_revision,
            ttl=ttl,
            expected_digest=expected_digest,
            keep_replaced=keep_replaced,
            dated=dated,
            progress=call.callback(progress),
        )

    def put_file(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Store a file, under its own name by default. The options are those of `put`.

        With `resume`, a put that is killed, interrupted or loses its connection leaves its chunks
        and a checkpoint. The next put of the file with `resume` compares the chunks with the file
        and continues. It is not available with `ttl` or encryption.

        If the file changes while it is read, nothing is stored.

        Raises: `ObjectChangedError` (the file changed), `BlockingIOError` (another put with
        `resume` stores it under this name), and what `put` and `open` raise.
        """
        call = Call()
        return call.run(
            self.async_store().put_file,
            path,
            name,
            meta,
            description=description,
            content_type=content_type,
            tags=_adapters.collected(tags),
            headers=headers,
            metadata=metadata,
            expected_revision=expected_revision,
            ttl=ttl,
            expected_digest=expected_digest,
            keep_replaced=keep_replaced,
            resume=resume,
            progress=call.callback(progress),
        )

    def discard_checkpoint(self, stored: StoredChunks) -> None:
        """Purge the chunks that `ObjectWriter.checkpoint` found stored, and those behind them.

        The writer must have ended without completing its object. Only the current object of the
        name is looked at, and keeps its chunks: a version that was replaced, or an object that was
        renamed since, would lose them.
        """
        return run(self.async_store().discard_checkpoint, stored)

    def copy(
        self,
        name: str,
        new_name: str | None = None,
        *,
        version: str | None = None,
        to: ObjectStore | None = None,
        expected_revision: int | None = None,
        ttl: Duration | Literal["keep"] | None = "keep",
        keep_replaced: bool = False,
        progress: Progress | None = None,
    ) -> ObjectInfo:
        """Copy an object's bytes and metadata to another name, here or in the bucket `to`.

        The bytes go through this process and are verified before the copy is published; the buckets
        may be on different servers. Links are followed. A copy expires when its original does, or
        after `ttl`, or never if `ttl` is None. `expected_revision` is that of the new name, and
        `keep_replaced` is as in `put`. `version` copies one version, as in `get`. An encrypted
        object is copied as it is stored, unless one of the buckets has a key (`encrypted`): then it
        is decrypted, encrypted, or both.

        Raises: `InvalidOptionError` (a copy onto itself, `to` is no object store of jetstow), and
        what `get` and `put` raise.
        """
        call = Call()
        return call.run(
            self.async_store().copy,
            name,
            new_name,
            version=version,
            to=None if to is None else to.async_store(),
            expected_revision=expected_revision,
            ttl=ttl,
            keep_replaced=keep_replaced,
            progress=call.callback(progress),
        )

    def update_meta(
        self,
        name: str,
        meta: api.ObjectMeta,
        *,
        expected_revision: int | None = None,
        version: str | None = None,
    ) -> ObjectInfo:
        """Replace an object's description, content type, tags, headers and metadata.

        `meta` replaces all of them: what it leaves out is removed. Start from `info.meta` to change
        one, with `expected_revision=info.revision`: then nothing is changed if another client has
        changed the object since. If `meta` has a different name, the object is renamed, too;
        `rename` keeps the rest. The bytes and the expiry do not change, nor does the version: in a
        versioned bucket, it is changed in place. `version` changes one that is not the current one.
        Source: ADR-20.

        Raises: `ObjectDeletedError` (there is no live object), `RevisionMismatchError` (also if
        there is no object at all), `ObjectAlreadyExists` (the new name is in use, or
        `expected_revision` is 0), `InvalidOptionError`.
        """
        return run(
            self.async_store().update_meta,
            name,
            meta,
            expected_revision=expected_revision,
            version=version,
        )

    def rename(self, name: str, new_name: str) -> ObjectInfo:
        """Rename an object. Its bytes stay in place, and nothing else of its metadata changes.

        The old name keeps a delete marker, as after `delete`. In a versioned bucket, it keeps its
        older versions, too: the current one moves to the new name.

        Raises: `ObjectNotFoundError`, `ObjectAlreadyExists` (the new name has a live object).
        """
        return run(self.async_store().rename, name, new_name)

    def encrypted(
        self, key: Buffer, *, allow_plain: bool = False, original_bucket: str | None = None
    ) -> Self:
        """Return a view of the bucket that encrypts objects on put and decrypts them on get.

        `key` has 32 bytes. Each chunk is encrypted and authenticated with AES-256-GCM, with a key
        derived for each object, and so are the object's size, name and bucket. Descriptions,
        headers and metadata are neither encrypted nor authenticated: every user who can read the
        bucket can read them. The key is not stored; without it, the objects are lost. Needs
        `jetstow[encryption]`.

        An object that is not encrypted may have been put in the place of an encrypted one, so the
        view refuses to read it. `allow_plain` reads it as it is. `original_bucket` also reads
        objects that were encrypted in the bucket of that name: pass it for a mirror, or for a
        backup that was restored under another name.

        The sizes that the view reports are those of the plaintext. Digests are those of the
        stored bytes.

        Raises: `InvalidOptionError` (the key does not have 32 bytes, or the package is not
        installed), `InvalidBucketNameError`. Reading raises `ObjectEncryptedError` (the object has
        a different key) and `TamperedError` (it is not what was encrypted under its name).
        """
        return self._with_key(key, allow_plain, original_bucket)

    def as_stored(self) -> Self:
        """Return a view of the bucket that reads and writes encrypted objects as they are stored.

        Other NATS clients read the same bytes, sizes and digests. Use it to copy or verify
        encrypted objects without their key.
        """
        return self._without_decryption()

    def delete(
        self,
        name: str,
        *,
        missing_ok: bool = False,
        expected_revision: int | None = None,
        keep_replaced: bool = False,
        version: str | None = None,
        bypass_governance: bool = False,
    ) -> ObjectInfo | None:
        """Delete an object: purge its chunks, leave a delete marker (ADR-20). Return its info.

        In a versioned bucket the object is kept: the delete marker is the current version.
        `version` removes one version permanently instead, or a delete marker. If it is the current
        one, the version before it is current then. A locked version is not removed, except with
        `bypass_governance` if its retention has that mode.

        If the bucket is full, the marker may not fit: the object is then deleted without one.

        With `missing_ok`, it is not an error if there is no object: the result is None. With
        `expected_revision`, the object is deleted only if it is at that revision. `keep_replaced`
        leaves its chunks, as in `put`.

        The result is None, too, if the metadata cannot be read, or if another client has renamed
        the object: it has its new name then.

        Raises: `ObjectNotFoundError` (unless `missing_ok`), `RevisionMismatchError`,
        `ObjectLockedError`.
        """
        return run(
            self.async_store().delete,
            name,
            missing_ok=missing_ok,
            expected_revision=expected_revision,
            keep_replaced=keep_replaced,
            version=version,
            bypass_governance=bypass_governance,
        )

    def delete_many(
        self, names: Iterable[str | ObjectInfo] | None = None, *, prefix: str | None = None
    ) -> DeleteResult:
        """Delete the named objects, or those whose names begin with a prefix.

        Several are deleted at the same time. An error that concerns one object is in `failed` of
        the result, and not raised. For `ObjectInfo`s, as `list` and `find` return them, an object
        that was replaced since is not deleted, and is in `failed`. The same applies to `prefix`.

        Raises: `InvalidOptionError` (`names` is one string, neither or both of the arguments are
        given, the prefix is empty, an info is of another bucket), `InvalidObjectNameError`.
        Nothing is deleted then.
        """
        return run(self.async_store().delete_many, _adapters.collected(names), prefix=prefix)

    def versions(self, name: str | None = None, *, prefix: str = "") -> ObjectList:
        """Return the versions of an object, the newest first, which is the current one.

        Without a name, return those of all objects, by name, or of those whose names begin with
        `prefix`. An info has the id in `version`, and `deleted` for a delete marker. A version was
        replaced at the time when the one before it in the list was stored. In a bucket without
        versioning, each object has one version, without an id.

        The server does not search: all metadata of the bucket is read.

        Raises: `InvalidOptionError` (`prefix` has another type).
        """
        return run(self.async_store().versions, name, prefix=prefix)

    def restore_version(self, name: str, version: str) -> ObjectInfo:
        """Make a version the current one again. No byte is copied, and it keeps its id.

        The version that is current before is kept. Source: decision 43.

        Raises: `ObjectNotFoundError` (there is no such version), `InvalidOptionError` (it is a
        delete marker: remove it with `delete`).
        """
        return run(self.async_store().restore_version, name, version)

    def add_delete_marker(self, name: str, *, expected_revision: int | None = None) -> ObjectInfo:
        """Add a delete marker as the newest version, also if there is no object. Return its info.

        `expected_revision` is as in `delete`.

        Raises: `InvalidOptionError` (the bucket never had versions), `RevisionMismatchError`.
        """
        return run(self.async_store().add_delete_marker, name, expected_revision=expected_revision)

    def set_retention(
        self,
        name: str,
        retention: Retention | None,
        *,
        version: str | None = None,
        bypass_governance: bool = False,
    ) -> ObjectInfo:
        """Keep a version until a time: jetstow and its S3 gateway do not remove it before.

        Without `version`, that of the current one is set. A retention can be made longer. None, a
        shorter one and another mode need `bypass_governance`, and mode "governance".

        Other NATS clients are not bound by it. The time is that of this machine.

        Raises: `ObjectNotFoundError`, `ObjectLockedError`, `InvalidOptionError` (the bucket has no
        versions, the time is not in the future).
        """
        return run(
            self.async_store().set_retention,
            name,
            retention,
            version=version,
            bypass_governance=bypass_governance,
        )

    def set_legal_hold(
        self, name: str, legal_hold: bool, *, version: str | None = None
    ) -> ObjectInfo:
        """Keep a version until its legal hold is removed again, whatever its retention.

        Raises: `ObjectNotFoundError`, `InvalidOptionError` (the bucket has no versions).
        """
        return run(self.async_store().set_legal_hold, name, legal_hold, version=version)

    def add_link(self, name: str, target: api.ObjectInfo | str) -> ObjectInfo:
        """Create a link to an object: the name of one in this bucket, or the info of any (ADR-20).

        Raises: `LinkError` (to a link, a deleted object, or itself), `ObjectAlreadyExists` (the
        name has an object with bytes), `ObjectNotFoundError` (there is no such target).
        """
        return run(self.async_store().add_link, name, target)

    def add_bucket_link(self, name: str, bucket: ObjectStore | str) -> ObjectInfo:
        """Create a link to a whole bucket (ADR-20).

        Raises: `ObjectAlreadyExists` (the name has an object with bytes), `InvalidBucketNameError`.
        """
        return run(
            self.async_store().add_bucket_link,
            name,
            bucket if isinstance(bucket, str) else bucket.bucket,
        )

    def get_info(
        self, name: str, show_deleted: bool | None = False, *, version: str | None = None
    ) -> ObjectInfo:
        """Return an object's metadata; for a link, that of the link (ADR-20).

        `show_deleted` returns the delete marker of a deleted object. `version` is as in `get`.

        Raises: `ObjectNotFoundError`, `ObjectDeletedError`, `BadObjectMetaError`.
        """
        return run(self.async_store().get_info, name, show_deleted, version=version)

    def exists(self, name: str) -> bool:
        """Return whether there is an object or a link of that name. The bytes are not checked."""
        return run(self.async_store().exists, name)

    def get(
        self,
        name: str,
        writeinto: Writable | None = None,
        show_deleted: bool | None = False,
        *,
        into: Buffer | None = None,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        progress: Progress | None = None,
    ) -> ObjectResult:
        """Read an object into memory, or into a file (binary or text).

        Links are followed; the result's info is the target's. In memory, an object is returned
        whole and verified or not at all. A file has received some of the bytes if an error ends
        the get: see `get_file`.

        `into` is a writable buffer, such as a bytearray, a memoryview, an array or a NumPy array.
        It is filled from its start, and the rest of it is unchanged. The result's data is empty,
        and the info has the size. If an error ends the get, the part of the buffer that the object
        needs has undefined bytes. If the buffer is too small, nothing is read.

        `expected_revision` reads the object only at that revision; `if_changed_since` only if it
        is at a later one, or newer than an aware datetime. `version` reads one version in a
        versioned bucket, by the id that `put` and `versions` return. Source: ADR-20.

        Raises: what `get_info` raises, `LinkIsABucketError`, `LinkError`, `RevisionMismatchError`,
        `ObjectUnchangedError`, `ObjectEncryptedError`, `DigestMismatchError`, `SizeMismatchError`,
        `ChunksLostError`, `ObjectChangedError` (replaced during the get),
        `InvalidDataError` (a file that takes no bytes, or `into` is not a writable buffer),
        `InvalidOptionError` (the buffer is too small, or there are two destinations).
        """
        call = Call()
        return call.run(
            self.async_store().get,
            name,
            _adapters.async_writable(call, writeinto),
            show_deleted,
            into=into,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
            version=version,
            progress=call.callback(progress),
        )

    def get_file(
        self,
        name: str,
        path: str | os.PathLike[str],
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        if_different: bool = False,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> FileInfo:
        """Read an object into a file, which appears at `path` once it is verified.

        An existing file is unchanged until then. With `if_different`, nothing is done if it has the
        object's size and digest already: `written` of the result is false. An encrypted object is
        always read. With `resume`, the bytes received stay beside the file if the get is killed or
        fails, and the next get with `resume` continues; this is not available for encrypted
        objects.

        Raises: `BlockingIOError` (another get with `resume` writes to the path), and what `get` and
        `open` raise.
        """
        call = Call()
        return call.run(
            self.async_store().get_file,
            name,
            path,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
            version=version,
            if_different=if_different,
            resume=resume,
            progress=call.callback(progress),
        )

    def stream(
        self,
        name: str,
        start: int = 0,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
    ) -> Generator[bytes, None, None]:
        """Yield an object's bytes piece by piece; verified when the iteration ends.

        `start` and `length` select a range, with the checks of `get_range`.

        Raises: what `get` raises, also after pieces were yielded; `InvalidRangeError`.
        """
        return iterate(
            self,
            self.async_store().stream(
                name,
                start,
                length,
                expected_revision=expected_revision,
                if_changed_since=if_changed_since,
                version=version,
            ),
        )

    def stream_checkpoint(self, stored: StoredChunks) -> Generator[bytes, None, None]:
        """Yield the bytes that `ObjectWriter.checkpoint` found stored, then those behind them.

        No digest exists for them: verify them yourself. The writer may have continued since.

        Raises: `ChunksLostError`.
        """
        return iterate(self, self.async_store().stream_checkpoint(stored))

    def get_range(
        self,
        name: str,
        start: int,
        length: int | None = None,
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
    ) -> bytes:
        """Return `length` bytes from offset `start`, or all bytes from there; fewer at the end.

        Only the chunks with these bytes are transferred. Their number and sizes are verified; a
        digest exists for the whole object only.

        Raises: `InvalidRangeError`, and what `get` raises.
        """
        return run(
            self.async_store().get_range,
            name,
            start,
            length,
            expected_revision=expected_revision,
            if_changed_since=if_changed_since,
            version=version,
        )

    @overload
    def open(
        self,
        name: str,
        mode: Literal["rb"] = "rb",
        *,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        prefetch: bool = False,
    ) -> ObjectReader: ...
    @overload
    def open(
        self,
        name: str,
        mode: Literal["wb"],
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
    ) -> ObjectWriter: ...
    def open(
        self,
        name: str,
        mode: Literal["rb", "wb"] = "rb",
        meta: api.ObjectMeta | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        tags: Iterable[str] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        metadata: Mapping[str, str] | None = None,
        expected_revision: int | None = None,
        if_changed_since: Since | None = None,
        version: str | None = None,
        ttl: Duration | None = None,
        expected_digest: str | None = None,
        keep_replaced: bool = False,
        dated: bool = True,
        prefetch: bool = False,
    ) -> ObjectReader | ObjectWriter:
        """Open an object as a file: `with store.open(name) as file`.

        Mode "rb" reads the current revision, from any position (`seek`), with the options of
        `get`. With `prefetch`, the bytes of an object of up to 128 KiB are requested with its
        metadata, and reads need no further request. Mode "wb" writes an object, which exists once
        the file is closed, with the options of `put`.

        Raises: what `get` raises ("rb") or what `put` raises ("wb"), `ValueError` (another mode).
        """
        reading = {
            "expected_revision": expected_revision,
            "if_changed_since": if_changed_since,
            "version": version,
            "prefetch": prefetch,
        }
        writing = {
            "meta": meta,
            "description": description,
            "content_type": content_type,
            "tags": _adapters.collected(tags),
            "headers": headers,
            "metadata": metadata,
            "expected_revision": expected_revision,
            "ttl": ttl,
            "expected_digest": expected_digest,
            "keep_replaced": keep_replaced,
            "dated": dated,
        }
        return self._open(name, mode, reading, writing)

    def list(
        self, prefix: str = "", *, match: Match | None = None, ignore_deletes: bool = True
    ) -> builtins.list[ObjectInfo]:
        """Return the info of every object, the least recently changed first.

        `prefix` selects names that begin with it. `match` is a pattern (see `find`) or a function
        that returns true for the infos to include. Delete markers are included if `ignore_deletes`
        is false. To process the infos of a large bucket as they arrive, iterate over `watch()` up
        to its None.

        Raises: `InvalidOptionError` (`prefix` or `match` has another type), what `match` raises.
        """
        return _adapters.matching(
            match,
            run(
                self.async_store().list,
                prefix,
                match=_adapters.pattern_of(match),
                ignore_deletes=ignore_deletes,
            ),
        )

    def find(
        self,
        match: Match | None = None,
        *,
        prefix: str = "",
        tags: Iterable[str] = (),
        min_size: int | None = None,
        max_size: int | None = None,
        newer_than: Age | None = None,
        older_than: Age | None = None,
    ) -> builtins.list[ObjectInfo]:
        """Return the objects that match all of the conditions, in the form that `list` has.

        `match` is a pattern or a function, as in `list`. A pattern without a slash is compared with
        the last part of a name: `*.csv` matches at every level. Other patterns are compared with
        the whole name, or with what follows the `prefix`: in `logs/*.csv`, `*` and `?` match within
        one level. `**` matches across levels, and `[a-z]` one character of a set.

        An object must have all `tags`. `min_size` and `max_size` are in bytes, both included.
        `newer_than` and `older_than` are an aware datetime, or a timedelta before now, by the
        server's clock. The server does not search: all metadata of the bucket is read.

        Raises: `InvalidOptionError` (`tags` is one string, a datetime has no time zone, or `prefix`
        or `match` has another type), what `match` raises.
        """
        return _adapters.matching(
            match,
            run(
                self.async_store().find,
                _adapters.pattern_of(match),
                prefix=prefix,
                tags=_adapters.collected(tags),
                min_size=min_size,
                max_size=max_size,
                newer_than=newer_than,
                older_than=older_than,
            ),
        )

    def index(self, *, metadata: Sequence[str] = (), max_names: int = 1000000) -> BucketIndex:
        """Open an index of the bucket, for many listings: `with store.index() as index`.

        `index.page(prefix, after=..., delimiter="/", limit=1000)` returns objects in the
        order of their names, with each change that was acknowledged before the call. The index
        reads the names once and then watches the bucket. For one listing, use `list`.

        Of an object's metadata, the entries have the values of the names in `metadata`. If the
        bucket has more than `max_names` names, each page reads all of them instead of memory.

        Raises: `InvalidOptionError` (`metadata` is one string, or an argument has another type).
        """
        return BucketIndex(
            self,
            Call(undo=jetstow.BucketIndex.close).run(
                self.async_store().index, metadata=metadata, max_names=max_names
            ),
        )

    def watch(
        self,
        prefix: str = "",
        *,
        match: Match | None = None,
        ignore_deletes: bool = False,
        include_history: bool = False,
        meta_only: bool = False,
        updates_only: bool = False,
    ) -> ObjectWatcher:
        """Watch the bucket: its current objects, then None, then every change as it happens.

        Use it as `with store.watch() as changes`. A change is an `ObjectInfo`; they come in the
        order of their revisions. `prefix` and `match` select changes as in `list`, and never the
        None. `ignore_deletes` leaves out delete markers. `updates_only` leaves out the current
        objects and the None. `include_history` includes older metadata of a name, if the stream has
        any: most clients leave one message for each name. `meta_only` has no effect, as a watcher
        returns only metadata. Source: ADR-20.

        Raises: `InvalidOptionError` (`prefix` or `match` has another type).
        """
        return ObjectWatcher(
            self,
            Call(undo=jetstow.ObjectWatcher.stop).run(
                self.async_store().watch,
                prefix,
                match=_adapters.pattern_of(match),
                ignore_deletes=ignore_deletes,
                include_history=include_history,
                meta_only=meta_only,
                updates_only=updates_only,
            ),
            match,
        )

    def status(self) -> BucketStatus:
        """Return the bucket's configuration and state (ADR-20)."""
        return run(self.async_store().status)

    def verify(
        self,
        name: str | None = None,
        *,
        version: str | None = None,
        quick: bool = False,
        progress: Progress | None = None,
    ) -> VerifyResult:
        """Check one object, or by default all objects and links of the bucket, with all versions.

        Read all bytes and compare the digests; check that the targets of links exist, and that
        metadata can be read. Problems are `findings` of the result and are not raised. `quick`
        counts chunks and bytes without reading them. A view with a key (`encrypted`) also decrypts
        every object. An object that is replaced or deleted during
        the check is not a finding. `version` is as in `get`, and needs a name.

        Raises: `ObjectNotFoundError` (there is no object `name`, or no such version),
        `InvalidOptionError` (`version` without a name, or not an id).
        """
        call = Call()
        return call.run(
            self.async_store().verify,
            name,
            version=version,
            quick=quick,
            progress=call.callback(progress),
        )

    def collect_garbage(
        self,
        *,
        grace: Duration = 3600.0,
        deleted_for: Duration | None = None,
        keep: Callable[[Sequence[str]], Iterable[str]] | None = None,
        dry_run: bool = False,
    ) -> GarbageResult:
        """Remove chunks that no name refers to, and the old names of interrupted renames.

        Processes leave both if they are killed. What was written within the last `grace` seconds
        by the server's clock (default: an hour) is kept. Uploads may run at the same time, if
        none of them pauses for longer than `grace` between two chunks, or between the last chunk
        and the metadata. A `put_file` with `resume` that was interrupted before then starts
        again. Both durations may be a timedelta. `dry_run` reports what would be removed.

        `deleted_for` also removes delete markers that are at least that many seconds old (default:
        none). A watcher or a listing with `ignore_deletes=False` that starts later does not
        report these names.

        `keep` is a function that returns which NUIDs of a list to keep. It is called before their
        chunks are removed, after all names were read. So it has to know NUIDs that a write with
        `keep_replaced` leaves from before that write on.

        Raises: `BucketSealedError` (unless `dry_run`), `InvalidOptionError` (`grace` or
        `deleted_for` is not a duration, 0 or more), what `keep` raises.
        """
        call = Call()
        return call.run(
            self.async_store().collect_garbage,
            grace=grace,
            deleted_for=deleted_for,
            keep=_adapters.asked(call, keep),
            dry_run=dry_run,
        )

    def seal(self) -> None:
        """Make the bucket read-only, permanently (ADR-20)."""
        return run(self.async_store().seal)


class JetStreamContext(ContextBase):
    """A JetStream context: it creates, opens, lists and deletes buckets.

    `Client.jetstream` creates it. `timeout` (in seconds, default 5) limits how long a call
    waits for the next message of the server. It does not limit a transfer as a whole.
    """

    def create_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Create a bucket, or open the one that exists with the same configuration.

        The configuration is a `BucketConfig`, or its fields as keyword arguments: `description`,
        `ttl` (in seconds, or a timedelta), `max_bytes`, `storage`, `replicas`, `placement`,
        `compression`, `metadata`, `versioned`. Keyword arguments take precedence. A field that is
        None has the server's default.

        Raises: `InvalidBucketNameError`, `InvalidOptionError`, `BucketExistsError` (the bucket
        exists with a different configuration).
        """
        store = run(self.async_context().create_object_store, bucket, config, **params)
        return ObjectStore(self, store.bucket, store)

    def update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Change the configuration of a bucket.

        It takes the arguments of `create_object_store`. A field that is None stays as it is.

        Raises: `InvalidBucketNameError`, `BucketNotFoundError`, `InvalidOptionError` (also for a
        change that the server does not allow, such as to `storage`), `WrongStreamError` (see
        `object_store`).
        """
        store = run(self.async_context().update_object_store, bucket, config, **params)
        return ObjectStore(self, store.bucket, store)

    def create_or_update_object_store(
        self,
        bucket: str | None = None,
        config: api.ObjectStoreConfig | None = None,
        **params: Unpack[BucketOptions],
    ) -> ObjectStore:
        """Create a bucket, or change the configuration of the one that exists.

        It takes the arguments of `create_object_store`.

        Raises: `InvalidBucketNameError`, `InvalidOptionError`, `WrongStreamError` (see
        `object_store`).
        """
        store = run(self.async_context().create_or_update_object_store, bucket, config, **params)
        return ObjectStore(self, store.bucket, store)

    def object_store(self, bucket: str) -> ObjectStore:
        """Open a bucket.

        A mirror, and a stream that gets its messages from other streams, is read-only.

        Raises: `BucketNotFoundError`, `InvalidBucketNameError`, `WrongStreamError` (the stream was
        created by another program, and its configuration would lose bytes of objects).
        """
        store = run(self.async_context().object_store, bucket)
        return ObjectStore(self, store.bucket, store)

    def delete_object_store(self, bucket: str) -> bool:
        """Delete a bucket and all objects in it, permanently. Return True.

        Raises: `BucketNotFoundError`, `InvalidBucketNameError`.
        """
        return run(self.async_context().delete_object_store, bucket)

    def object_store_names(self) -> builtins.list[str]:
        """Return the names of the account's buckets."""
        return run(self.async_context().object_store_names)

    def object_stores(self) -> builtins.list[BucketStatus]:
        """Return the states of the account's buckets."""
        return run(self.async_context().object_stores)

    def verify_object_stores(
        self, *, quick: bool = False, progress: Progress | None = None
    ) -> list[VerifyResult]:
        """Check every bucket of the account, as `ObjectStore.verify` does.

        Return one result per bucket, sorted by name. A bucket that is deleted in the meantime
        is left out. A bucket that cannot be opened has one finding.
        """
        call = Call()
        return call.run(
            self.async_context().verify_object_stores, quick=quick, progress=call.callback(progress)
        )


def backup(
    store: ObjectStore, file: str | os.PathLike[str] | Writable, *, progress: Progress | None = None
) -> BackupResult:
    """Back up a bucket to an archive: a path, or a file (binary).

    The archive has the objects and links that were in the bucket at the start. An object that
    is replaced during the backup is archived with its new bytes, one that is deleted is not
    archived. Delete markers are not archived. Backups of an unchanged bucket are identical.

    A file appears at the path when it is complete. It is compressed with gzip if its name ends
    in `.gz` or `.tgz`. Until they are verified, objects of more than 1 MiB are in an unnamed
    temporary file. It is in the archive's folder or, if `file` is not a path, in `TMPDIR`.

    If an object cannot be read, its error is added to `failed` and the object is left out.

    Raises: `InvalidOptionError` (the compression that the file name asks for is not supported),
    `OSError` (the file cannot be written), the errors of `ObjectStore.list` and `status`.
    """
    call = Call()
    return call.run(
        jetstow.backup,
        store.async_store(),
        _adapters.async_writable(call, file),
        progress=call.callback(progress),
    )


def restore(
    js: JetStreamContext,
    file: str | os.PathLike[str] | Readable,
    bucket: str | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> RestoreResult:
    """Restore a bucket from an archive: a path or a file.

    `bucket` is the archived name by default. A bucket that does not exist is created with the
    archived configuration. Objects get new times and revisions. Links within the archived
    bucket become links within the restored one.

    An object that the bucket has with the same digest and metadata is left unchanged, so an
    interrupted restore can be repeated and continues. If an object differs, it is kept and an
    `ObjectAlreadyExists` error is added to `failed`; with `overwrite`, it is replaced. Other
    objects of the bucket are not changed. An object that is damaged in the archive is not
    restored, and a `DigestMismatchError` is added to `failed`.

    Raises: `BadArchiveError` (not an archive, damaged or truncated; the objects before the
    damage are restored), `OSError` (the file cannot be read), the errors of
    `create_object_store`.
    """
    call = Call()
    return call.run(
        jetstow.restore,
        js.async_context(),
        _adapters.async_readable(call, file),
        bucket,
        overwrite=overwrite,
        progress=call.callback(progress),
    )


def mirror(
    source: ObjectStore,
    target: ObjectStore | None,
    *,
    delete: bool = False,
    max_delete: int | None = None,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> MirrorResult:
    """Copy to a bucket all objects and links of another one, on the same or another server.

    Several objects are copied concurrently through this process. Each appears in the target
    when it is verified. An object that the target has with the same digest and size is not
    copied, so an interrupted mirror can be repeated and continues. Encrypted objects are copied
    as they are stored, without a key. Links within the source become links within the target.

    `delete` removes objects that the source does not have; by default nothing is removed.
    `dry_run` changes nothing; `target` may then be None, for a bucket that does not exist yet.

    With `delete`, an empty source is refused if the target has objects, unless `force` is set.
    `max_delete` is the highest number of names that may be deleted, with or without `force`.
    Both are checked before anything is changed, with `dry_run` too.

    If an object cannot be copied, its error is added to `failed`, and the others are copied.

    Raises: `ValueError` (`target` is None without `dry_run`), `InvalidOptionError` (an empty
    source without `force`, or more than `max_delete` names); an error that concerns the whole
    bucket, such as `ConnectionLostError`, `BucketSealedError`, `BucketFullError` or
    `PermissionDeniedError`.
    """
    call = Call()
    return call.run(
        jetstow.mirror,
        source.async_store(),
        None if target is None else target.async_store(),
        delete=delete,
        max_delete=max_delete,
        force=force,
        dry_run=dry_run,
        progress=call.callback(progress),
    )


def upload_folder(
    folder: str | os.PathLike[str],
    store: ObjectStore,
    prefix: str = "",
    *,
    delete: bool = False,
    max_delete: int | None = None,
    force: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Copy the files of a folder into a bucket, as `prefix` and the path within the folder.

    `include` and `exclude` are glob patterns of the paths; an excluded name is neither copied
    nor removed. `delete` removes objects without a file, except those that may have a file in
    an unreadable folder or below a symbolic link. `dry_run` changes nothing. An object that is
    replaced keeps its metadata. Encrypted objects are read to compare them.

    The modification time and the mode of a file become the metadata entries `mtime` and `mode`,
    in the format of rclone. Names are compared in Unicode normal form, and existing objects keep
    their names.

    With `delete`, a folder without selected files is refused if objects would be deleted, unless
    `force` is set. `max_delete` is the highest number of objects that may be deleted, with or
    without `force`. Both are checked before anything is changed, with `dry_run` too.

    Symbolic links and special files are added to `skipped`; empty folders are ignored. If a
    file cannot be copied, its error is added to `failed`.

    Raises: `NotADirectoryError`, `FileNotFoundError`, `InvalidOptionError` (no selected files
    without `force`, or more than `max_delete` objects); an error that concerns the whole bucket.
    """
    call = Call()
    return call.run(
        jetstow.upload_folder,
        folder,
        store.async_store(),
        prefix,
        delete=delete,
        max_delete=max_delete,
        force=force,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.callback(progress),
    )


def download_folder(
    store: ObjectStore,
    folder: str | os.PathLike[str],
    prefix: str = "",
    *,
    delete: bool = False,
    max_delete: int | None = None,
    force: bool = False,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Copy the objects whose names start with `prefix` into a folder.

    The files get the names after the prefix, and the modification time and mode in the objects'
    metadata (`mtime`, `mode`), or the objects' times. Names are compared in Unicode normal form,
    and existing files keep their names. `include` and `exclude` are glob patterns of the names; an
    excluded name is neither copied nor removed. `delete` removes files without an object, and
    folders that are then empty. `dry_run` changes nothing.

    With `delete`, a prefix or bucket without selected objects is refused if files would be
    removed, unless `force` is set. `max_delete` is the highest number of files that may be
    removed, with or without `force`. Both are checked before anything is changed, with
    `dry_run` too.

    A link is copied as a file with the bytes of its target. A link to a bucket is added to
    `skipped`. Empty objects whose names end in a slash, which mark folders, are ignored. If an
    object cannot be copied, its error is added to `failed`: among others
    `InvalidObjectNameError`, if its name is not a safe path in the folder, and
    `BadObjectMetaError`, if its metadata cannot be read. `delete` keeps its file.

    Raises: `InvalidOptionError` (no selected objects without `force`, or more than `max_delete`
    files); an error that concerns the whole bucket.
    """
    call = Call()
    return call.run(
        jetstow.download_folder,
        store.async_store(),
        folder,
        prefix,
        delete=delete,
        max_delete=max_delete,
        force=force,
        include=include,
        exclude=exclude,
        dry_run=dry_run,
        progress=call.callback(progress),
    )


__all__ = [
    "JetStreamContext",
    "ObjectStore",
    "backup",
    "download_folder",
    "mirror",
    "restore",
    "upload_folder",
]
