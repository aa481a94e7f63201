"""The parts of the blocking stores and contexts that are not generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import jetstow
from jetstow.errors import InvalidOptionError
from jetstow.sync._call import run
from jetstow.sync._reader import ObjectReader, open_reader
from jetstow.sync._writer import ObjectWriter, open_writer
from jetstow.types import JetStreamOptions

if TYPE_CHECKING:
    from typing_extensions import Buffer


class HasAsyncClient(Protocol):
    """A blocking connection."""

    def async_client(self) -> jetstow.Client:
        """Return the asynchronous client of this process."""


class HasAsyncContext(Protocol):
    """A blocking JetStream context."""

    def async_context(self) -> jetstow.JetStreamContext:
        """Return the asynchronous context of this process."""


class ContextBase:
    """A blocking JetStream context without its verbs."""

    def __init__(self, client: HasAsyncClient, options: JetStreamOptions) -> None:
        self._client = client
        self._options = options
        self._of: jetstow.Client | None = None
        self._context: jetstow.JetStreamContext

    def async_context(self) -> jetstow.JetStreamContext:
        """Return the asynchronous context of this process."""
        client = self._client.async_client()
        if self._of is not client:
            self._context, self._of = client.jetstream(**self._options), client
        return self._context

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._client, self._options)


class StoreBase:
    """A blocking object store without its verbs."""

    def __init__(
        self,
        context: HasAsyncContext,
        bucket: str,
        store: jetstow.ObjectStore | None = None,
        *,
        key: bytes | None = None,
        allow_plain: bool = False,
        original_bucket: str | None = None,
        as_stored: bool = False,
    ) -> None:
        self._context = context
        self._bucket = bucket
        self._key = key
        self._allow_plain = allow_plain
        self._original_bucket = original_bucket
        self._is_as_stored = as_stored
        self._of = None if store is None else context.async_context()
        self._store = store

    def async_store(self) -> jetstow.ObjectStore:
        """Return the asynchronous store of this process. Open it if it is of another process."""
        context = self._context.async_context()
        if self._store is None or self._of is not context:
            store = run(context.object_store, self._bucket)
            if self._key is not None:
                store = store.encrypted(
                    self._key,
                    allow_plain=self._allow_plain,
                    original_bucket=self._original_bucket,
                )
            self._store = store.as_stored() if self._is_as_stored else store
            self._of = context
        return self._store

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def __repr__(self) -> str:
        view = "" if self._key is None else " encrypted"
        view = " as stored" if self._is_as_stored else view
        return f"<jetstow.sync.ObjectStore {self.bucket!r}{view}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._key is not None:
            raise InvalidOptionError(
                f"bucket {self._bucket!r} has an encryption key, which is not pickled: pickle the "
                "bucket without the key, and call encrypted(key) in the other process",
                bucket=self._bucket,
            )
        return _unpickle_store, (type(self), self._context, self._bucket, self._is_as_stored)

    def _with_key(self, key: Buffer, allow_plain: bool, original_bucket: str | None) -> Self:
        store = self.async_store().encrypted(
            key, allow_plain=allow_plain, original_bucket=original_bucket
        )
        return type(self)(
            self._context,
            self._bucket,
            store,
            key=bytes(key),
            allow_plain=allow_plain,
            original_bucket=original_bucket,
        )

    def _without_decryption(self) -> Self:
        store = self.async_store().as_stored()
        return type(self)(self._context, self._bucket, store, as_stored=True)

    def _open(
        self,
        name: str,
        mode: Literal["rb", "wb"],
        reading: dict[str, Any],
        writing: dict[str, Any],
    ) -> ObjectReader | ObjectWriter:
        store = self.async_store()
        if mode == "wb":
            return open_writer(self, store, name, **writing)
        return open_reader(self, store, name, mode, **reading)


def _unpickle_store(
    cls: type[StoreBase], context: HasAsyncContext, bucket: str, as_stored: bool
) -> StoreBase:
    return cls(context, bucket, as_stored=as_stored)
