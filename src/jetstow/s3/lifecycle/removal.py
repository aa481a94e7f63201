"""What lifecycle rules remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jetstow.models import ObjectInfo
from jetstow.s3.multipart.model import Upload

Kind = Literal["object", "version", "delete marker", "upload"]


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that a rule removes.

    A removed object of a versioned bucket stays as a version, behind a delete marker. A version is
    one that is not the current one, and an upload one that is not finished.
    """

    kind: Kind
    key: str
    rule: str
    info: ObjectInfo | None = None
    upload: Upload | None = None
