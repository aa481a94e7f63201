"""The bucket and the object that a request is for, so that its errors can name them."""

from __future__ import annotations

from typing import Self, TypeVar

import msgspec

from jetstow.errors import JetstowError

E = TypeVar("E", bound=JetstowError)


class ErrorContext(msgspec.Struct, frozen=True):
    """The bucket and the object of a request; both are None for a request to the account.

    `version` is the id of the version that is read, None for the current one. As a context manager,
    it adds bucket and object to errors that have none.
    """

    bucket: str | None = None
    name: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        if self.bucket is None:
            return "JetStream"
        if self.name is None:
            return f"bucket {self.bucket!r}"
        version = "" if self.version is None else f"version {self.version!r} of "
        return f"{version}object {self.name!r} in bucket {self.bucket!r}"

    def error(self, kind: type[E], message: str) -> E:
        """Return an error of that class, with the bucket and the object as its attributes."""
        return kind(message, bucket=self.bucket, name=self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: object, __: object) -> None:
        """Add the bucket and the object to an error raised in the block that has none."""
        if isinstance(error, JetstowError) and error.bucket is None:
            error.bucket, error.name = self.bucket, self.name
            error.message = error.description = f"{self}: {error.message}"
