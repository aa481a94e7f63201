"""What a sentence is about: a bucket, an object in it, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from jetstow.errors import JetstowError

E = TypeVar("E", bound=JetstowError)


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """The bucket and the object that a request concerns, for its errors to name."""

    bucket: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.bucket is None:
            return "JetStream"
        if self.name is None:
            return f"bucket {self.bucket!r}"
        return f"object {self.name!r} in bucket {self.bucket!r}"

    def error(self, kind: type[E], message: str) -> E:
        """An error of that kind that knows what it is about."""
        return kind(message, bucket=self.bucket, name=self.name)

    @contextmanager
    def attach(self) -> Iterator[None]:
        """Tell errors that know of no bucket and object which ones it is about."""
        try:
            yield
        except JetstowError as error:
            if error.bucket is None:
                error.bucket, error.name = self.bucket, self.name
                error.message = error.description = f"{self}: {error.message}"
            raise
