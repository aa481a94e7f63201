"""What lifecycle rules remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jetstow.s3.multipart.model import Upload

Kind = Literal["object", "version", "delete marker", "upload"]


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that a rule removes.

    A removed object of a versioned bucket stays as a version, behind a delete marker. A version is
    one that is not the current one, and an upload one that is not finished. `revision` is
    that of what is removed, and `version` the id of a version or of a delete marker.
    """

    kind: Kind
    key: str
    rule: str
    revision: int = 0
    version: str | None = None
    upload: Upload | None = None
