"""What `verify` and `collect_garbage` have found and done."""

from __future__ import annotations

from dataclasses import dataclass

from jetstow.errors import JetstowError


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    `name` is the object concerned, or None where metadata lies that no name leads to.
    `error` is what a read of it raises: an `IntegrityError`; of a link that leads nowhere,
    an `ObjectNotFoundError`, a `BucketNotFoundError` or a `LinkError`.
    """

    name: str | None
    error: JetstowError


@dataclass(frozen=True)
class Verified:
    """What was found in a bucket.

    `objects` and `links` were looked at; `size` is the bytes that their chunks have, read
    or counted. `unused` counts chunks of no object, where all of them were counted (quick,
    the whole bucket): those of uploads that run now, and what `collect_garbage` is for.
    """

    bucket: str
    objects: int = 0
    links: int = 0
    size: int = 0
    unused: int | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not self.findings


@dataclass(frozen=True)
class Collected:
    """What was removed from a bucket; in a dry run, what would be.

    `uploads` counts uploads and replaced objects of which nothing but chunks was left,
    `messages` their chunks. `young` were left because they were not quiet for long enough.
    `names` are those that a rename had left behind. `findings` is metadata that cannot be
    read and may refer to any chunk: where there is some, no chunk was removed.
    """

    bucket: str
    uploads: int = 0
    messages: int = 0
    young: int = 0
    names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


__all__ = ["Collected", "Finding", "Verified"]
