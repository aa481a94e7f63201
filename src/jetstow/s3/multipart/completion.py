"""What a CompleteMultipartUpload asks for, checked against the recorded parts."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jetstow.s3.body.checksums import (
    ALGORITHMS,
    HEADER_PREFIX,
    Algorithm,
    Checksum,
    encode_base64,
)
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.arguments import part_number
from jetstow.s3.multipart.model import MAX_PARTS, MIN_PART_SIZE, Part, Upload
from jetstow.s3.request import Request
from jetstow.s3.xml.parsing import Node, parse_xml

SIZE_HEADER: Final = "x-amz-mp-object-size"
TYPE_HEADER: Final = "x-amz-checksum-type"

# A part has a number, an ETag and checksums.
_MAX_ELEMENTS: Final = MAX_PARTS * (3 + len(ALGORITHMS)) + 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part that the request names. `sums` has checksums by algorithm."""

    number: int
    etag: str
    sums: Mapping[str, str]


def parse_parts(body: bytes) -> list[Wanted]:
    """Return the parts of the request's document.

    If it has a part several times in a row, because the client has sent it again, the last counts.

    Raises: `S3Error` (MalformedXML: also for an empty list; InvalidPartOrder).
    """
    root = parse_xml(body, "CompleteMultipartUpload", _MAX_ELEMENTS)
    wanted = [_parse_part(node) for node in root.children()]
    if not 1 <= len(wanted) <= MAX_PARTS:
        raise S3Error("MalformedXML", f"The document must have 1 to {MAX_PARTS} parts.")
    for before, after in itertools.pairwise(wanted):
        if after.number < before.number:
            raise S3Error("InvalidPartOrder")
    return list({part.number: part for part in wanted}.values())


def _parse_part(node: Node) -> Wanted:
    if node.name != "Part":
        raise S3Error("MalformedXML", f"The element {node.name} is not a Part.")
    values = node.values()
    if "PartNumber" not in values or "ETag" not in values:
        raise S3Error("MalformedXML", "The element Part needs a PartNumber and an ETag.")
    number = part_number(values["PartNumber"])
    if number is None:
        raise S3Error("MalformedXML", f"PartNumber must be a number from 1 to {MAX_PARTS}.")
    sums = {
        name: values[algorithm.element]
        for name, algorithm in ALGORITHMS.items()
        if algorithm.element in values
    }
    return Wanted(number, values["ETag"].strip('"').lower(), sums)


def select_parts(wanted: Sequence[Wanted], parts: Mapping[int, Part]) -> list[Part]:
    """Return the recorded parts that a request names.

    Raises: `S3Error` (InvalidPart, EntityTooSmall).
    """
    selected = [_select(each, parts.get(each.number)) for each in wanted]
    for part in selected[:-1]:
        if part.size < MIN_PART_SIZE:
            raise S3Error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=MIN_PART_SIZE,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return selected


def _select(wanted: Wanted, part: Part | None) -> Part:
    matches = part is not None and part.etag == wanted.etag
    if part is None or not matches or any(
        part.sums.get(name, value) != value for name, value in wanted.sums.items()
    ):  # fmt: skip
        message = (
            "One or more of the specified parts could not be found. The part may not have been "
            "uploaded, or the specified entity tag may not match the part's entity tag."
        )
        raise S3Error("InvalidPart", message, PartNumber=wanted.number, ETag=f'"{wanted.etag}"')
    return part


def combined_etag(parts: Sequence[Part]) -> str:
    """Return the ETag of an object of parts: the MD5 of their MD5s, and their number."""
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def combined_checksum(upload: Upload, parts: Sequence[Part]) -> Checksum:
    """Return the checksum of the object: of all its bytes, or of the parts' checksums."""
    algorithm = upload.final_algorithm
    sums = [part.sums[algorithm.name] for part in parts]
    if upload.final_type == "FULL_OBJECT":
        value = _full_object(algorithm, sums, parts)
    else:
        value = _composite(algorithm, sums)
    return Checksum(algorithm.name, value, upload.final_type)


def _full_object(algorithm: Algorithm, sums: Sequence[str], parts: Sequence[Part]) -> str:
    assert algorithm.combine is not None, "checked when the upload was created"
    total = 0
    for text, part in zip(sums, parts, strict=True):
        value = int.from_bytes(algorithm.decode(text) or b"")
        total = algorithm.combine(total, value, part.size)
    return encode_base64(total.to_bytes(algorithm.size))


def _composite(algorithm: Algorithm, sums: Sequence[str]) -> str:
    running = algorithm.new()
    for text in sums:
        running.update(algorithm.decode(text) or b"")
    return f"{encode_base64(running.digest())}-{len(sums)}"


def check_size(request: Request, parts: Sequence[Part]) -> None:
    """Check the size that a request declares. Raises: `S3Error` (InvalidRequest)."""
    size = request.header(SIZE_HEADER)
    if size is not None and size != str(sum(part.size for part in parts)):
        message = f"The provided '{SIZE_HEADER}' header does not match what was computed."
        raise S3Error("InvalidRequest", message)


def refuse_declared(request: Request) -> None:
    """Refuse a checksum of an object that is encrypted with a key of the customer.

    Raises: `S3Error` (InvalidRequest).
    """
    for name in request.headers:
        if name.startswith(HEADER_PREFIX) and name != TYPE_HEADER:
            message = "The gateway has no checksum of an upload with a key of the customer."
            raise S3Error("InvalidRequest", message)


def check_declared(
    request: Request, upload: Upload, parts: Sequence[Part], checksum: Checksum
) -> None:
    """Check what the headers of a request declare about the checksum of the object.

    Raises: `S3Error` (InvalidRequest, BadDigest).
    """
    kind = request.header(TYPE_HEADER)
    if kind is not None and kind.upper() != upload.final_type:
        message = (
            f"The upload was created using the {upload.final_type} checksum mode. "
            "The complete request must use the same checksum mode."
        )
        raise S3Error("InvalidRequest", message)
    for name, value in request.headers.items():
        if not name.startswith(HEADER_PREFIX) or name == TYPE_HEADER:
            continue
        if name != ALGORITHMS[checksum.algorithm].header:
            message = f"The upload was created for a checksum of {checksum.algorithm}, not {name}."
            raise S3Error("InvalidRequest", message)
        # Clients give the composite sum with the number of parts, or without.
        if value != checksum.value and f"{value}-{len(parts)}" != checksum.value:
            message = f"The {checksum.algorithm} you specified did not match what was computed."
            raise S3Error("BadDigest", message)
