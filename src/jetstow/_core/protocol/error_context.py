"""The bucket and the object that a request is for, so that its errors can name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from jetstow.errors import JetstowError

E = TypeVar("E", bound=JetstowError)


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """The bucket and the object of a request; both are None for a request to the account."""

    bucket: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.bucket is None:
            return "JetStream"
        if self.name is None:
            return f"bucket {self.bucket!r}"
        return f"object {self.name!r} in bucket {self.bucket!r}"

    def error(self, kind: type[E], message: str) -> E:
        """Return an error of that class, with the bucket and the object as its attributes."""
        return kind(message, bucket=self.bucket, name=self.name)

    @contextmanager
    def attach(self) -> Iterator[None]:
        """Add the bucket and the object to errors raised in the block that have none."""
        try:
            yield
        except JetstowError as error:
            if error.bucket is None:
                error.bucket, error.name = self.bucket, self.name
                error.message = error.description = f"{self}: {error.message}"
            raise
