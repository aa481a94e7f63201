"""What a request declares about its body: length, encoding, MD5, SHA-256 and checksum."""

from __future__ import annotations

from dataclasses import dataclass

from jetstow.s3.auth.authenticate import STREAMING, Identity
from jetstow.s3.auth.signature import UNSIGNED_PAYLOAD
from jetstow.s3.body.checksums import (
    ALGORITHMS,
    BY_HEADER,
    DEFAULT_ALGORITHM,
    HEADER_PREFIX,
    Algorithm,
    decode_base64,
)
from jetstow.s3.body.raw import RawBody
from jetstow.s3.errors import S3Error
from jetstow.s3.request import Request

# Headers of that prefix which do not have a sum.
_OTHER_HEADERS = frozenset(
    {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}
)


@dataclass(frozen=True, slots=True)
class Declared:
    """The declarations. `size` is that of the decoded body; None if it is not known.

    `checksum` is the expected sum, or None: then it comes as a trailer (`in_trailer`), or the
    algorithm is the client's wish (`is_chosen`) or the default.
    """

    size: int | None
    is_aws_chunked: bool
    md5: bytes | None
    sha256: bytes | None
    algorithm: Algorithm
    checksum: bytes | None
    in_trailer: bool
    is_chosen: bool


def parse_declared(request: Request, identity: Identity, raw: RawBody) -> Declared:
    """Return what a request declares about its body.

    Raises: `S3Error` (a value is not valid, or two contradict each other).
    """
    hashed = identity.payload_hash
    md5 = None
    if (text := request.header("content-md5")) is not None:
        md5 = decode_base64(text, 16)
        if md5 is None:
            raise S3Error("InvalidDigest", ContentMD5=text)
    is_aws_chunked = hashed in STREAMING
    algorithm, checksum, in_trailer = _parse_checksum(request)
    return Declared(
        _decoded_size(request) if is_aws_chunked else raw.length,
        is_aws_chunked,
        md5,
        None if is_aws_chunked or hashed == UNSIGNED_PAYLOAD else bytes.fromhex(hashed),
        algorithm or ALGORITHMS[DEFAULT_ALGORITHM],
        checksum,
        in_trailer,
        algorithm is not None,
    )


def _decoded_size(request: Request) -> int | None:
    value = request.header("x-amz-decoded-content-length")
    if value is None:
        raise S3Error("MissingContentLength", "x-amz-decoded-content-length is missing.")
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise S3Error("InvalidArgument", "x-amz-decoded-content-length must be a number.")
    return int(value)


def _parse_checksum(request: Request) -> tuple[Algorithm | None, bytes | None, bool]:
    if request.method == "POST" and "uploadId" in request.query:
        return None, None, False  # Complete: the checksum is that of the object
    wish = request.header("x-amz-sdk-checksum-algorithm")
    names = [
        name
        for name in request.headers
        if name.startswith(HEADER_PREFIX) and name not in _OTHER_HEADERS
    ]
    trailer = (request.header("x-amz-trailer") or "").strip().lower()
    if len(names) + bool(trailer) > 1:
        message = (
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
        raise S3Error("InvalidRequest", message)
    if trailer and trailer not in BY_HEADER:
        raise S3Error(
            "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"
        )
    if names and names[0] not in BY_HEADER:
        raise S3Error("InvalidRequest", f"The header {names[0]} is not supported.")
    algorithm = BY_HEADER.get(names[0] if names else trailer)
    if wish is not None:
        wished = ALGORITHMS.get(wish.upper())
        if wished is None:
            raise S3Error(
                "InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid."
            )
        if algorithm is not None and wished is not algorithm:
            message = (
                f"Value for x-amz-sdk-checksum-algorithm header does not match {algorithm.header}."
            )
            raise S3Error("InvalidRequest", message)
        algorithm = wished
    if algorithm is None:
        return None, None, False
    value = request.header(algorithm.header)
    checksum = None
    if value is not None and (checksum := algorithm.decode(value)) is None:
        raise S3Error("InvalidRequest", f"Value for {algorithm.header} header is invalid.")
    return algorithm, checksum, bool(trailer)
