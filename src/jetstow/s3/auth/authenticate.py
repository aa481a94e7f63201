"""Authenticate a request by its Authorization header or its query (presigned URL)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Final

from jetstow.s3.auth import signature
from jetstow.s3.auth.keys import Key, Keys
from jetstow.s3.auth.signature import ALGORITHM, UNSIGNED_PAYLOAD, ChunkSigner, Scope
from jetstow.s3.errors import S3Error
from jetstow.s3.request import Request

# How far the clock of a client may be off, and the longest validity of a presigned URL: S3's.
MAX_CLOCK_SKEW: Final = datetime.timedelta(minutes=15)
MAX_EXPIRY: Final = 7 * 24 * 3600

_CONTENT_SHA256: Final = "x-amz-content-sha256"
_SHA256: Final = re.compile("[0-9a-f]{64}")
_HEADER_NAMES: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z;-]+")
_TIMESTAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)

_QUERY_PARAMETERS: Final = frozenset({
    "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signature",
    "x-amz-signedheaders",
})  # fmt: skip

_VERSION_2: Final = (
    f"Signature version 2 is not supported: use {ALGORITHM} "
    "(boto3 and the aws command line: signature_version s3v4)."
)
SIGNED_CHUNKS: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_CHUNKS_TRAILER: Final = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_CHUNKS_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING: Final = frozenset({SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER, UNSIGNED_CHUNKS_TRAILER})


@dataclass(frozen=True, slots=True)
class Identity:
    """The result of the authentication. Without a key, the request is anonymous.

    `payload_hash` is what the client declared about the body (`x-amz-content-sha256`), and
    `chunk_signer` verifies the chunks of a body that is signed in chunks.
    """

    key: Key | None
    payload_hash: str = UNSIGNED_PAYLOAD
    chunk_signer: ChunkSigner | None = None
    presigned: bool = False

    @property
    def owner(self) -> str | None:
        """The id of the user, or None."""
        return None if self.key is None else self.key.owner


def authenticate(request: Request, keys: Keys, now: datetime.datetime) -> Identity:
    """Verify the signature of a request. A request without one is anonymous.

    Raises: `S3Error`.
    """
    authorization = request.header("authorization")
    if authorization:
        if "X-Amz-Algorithm" in request.query:
            raise S3Error("InvalidArgument", "Only one auth mechanism allowed.")
        return _authenticate_header(request, authorization, keys, now)
    if "X-Amz-Algorithm" in request.query or "X-Amz-Signature" in request.query:
        return _authenticate_query(request, keys, now)
    if "AWSAccessKeyId" in request.query:
        # boto3 and version 1 of the aws command line make such URLs by default.
        raise S3Error("InvalidRequest", _VERSION_2)
    return Identity(None, _payload_hash(request))


def _authenticate_header(
    request: Request, authorization: str, keys: Keys, now: datetime.datetime
) -> Identity:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm == "AWS":
        raise S3Error("InvalidArgument", _VERSION_2)
    if algorithm != ALGORITHM:
        raise S3Error("InvalidArgument", f"Unsupported Authorization Type: use {ALGORITHM}.")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    try:
        credential, names = fields["Credential"], fields["SignedHeaders"]
        given = fields["Signature"]
    except KeyError as error:
        message = f"The authorization header is malformed: it has no {error.args[0]}."
        raise S3Error("AuthorizationHeaderMalformed", message) from None
    access_key, scope = parse_credential(credential, "AuthorizationHeaderMalformed")
    if request.header(_CONTENT_SHA256) is None:
        raise S3Error(
            "InvalidRequest", f"Missing required header for this request: {_CONTENT_SHA256}"
        )
    payload_hash = _payload_hash(request)
    timestamp = _timestamp(request)
    time = parse_timestamp(timestamp)
    if time is None or timestamp[:8] != scope.date:
        raise S3Error(
            "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"
        )
    key = find_key(keys, access_key)
    if abs(now - time) > MAX_CLOCK_SKEW:
        raise S3Error("RequestTimeTooSkewed", ServerTime=now, RequestTime=timestamp)
    signed = _signed_headers(request, names, "AuthorizationHeaderMalformed", frozenset())
    texts = signature.strings_to_sign(request, signed, payload_hash, timestamp, scope)
    secret = signature.signing_key(key.secret_key, scope)
    check_signature(secret, texts, given, key)
    signer = None
    if payload_hash in (SIGNED_CHUNKS, SIGNED_CHUNKS_TRAILER):
        signer = ChunkSigner(secret, timestamp, scope, given)
    return Identity(key, payload_hash, signer)


def _authenticate_query(request: Request, keys: Keys, now: datetime.datetime) -> Identity:
    code = "AuthorizationQueryParametersError"
    query = request.query
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    values = [query.get(f"X-Amz-{name}") for name in names]
    if not all(values):
        message = (
            "Query-string authentication version 4 requires the X-Amz-Algorithm, "
            "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
            "X-Amz-Expires parameters."
        )
        raise S3Error(code, message)
    algorithm, credential, timestamp, expires, signed_names, given = (v or "" for v in values)
    if algorithm != ALGORITHM:
        raise S3Error(code, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    access_key, scope = parse_credential(credential, code)
    time = parse_timestamp(timestamp)
    if time is None or timestamp[:8] != scope.date:
        raise S3Error(code, "X-Amz-Date must be in the ISO8601 format and of the credential's date")
    key = find_key(keys, access_key)
    _check_expiry(time, expires, now)
    signed = _signed_headers(request, signed_names, code, frozenset({_CONTENT_SHA256}))
    payload_hash = _payload_hash(with_query_headers(request))
    texts = signature.strings_to_sign(
        request, signed, payload_hash, timestamp, scope, without="X-Amz-Signature"
    )
    secret = signature.signing_key(key.secret_key, scope)
    check_signature(secret, texts, given, key)
    return Identity(key, payload_hash, presigned=True)


def with_query_headers(request: Request) -> Request:
    """Return a presigned request with the headers `x-amz-*` that its query has.

    The AWS SDKs for JavaScript move them there. The signature covers the query.
    """
    moved = {
        lower: value.encode().decode("latin-1")
        for name, value in request.query.items()
        if (lower := name.lower()).startswith("x-amz-")
        and lower not in _QUERY_PARAMETERS
        and lower not in request.headers
    }
    return replace(request, headers={**request.headers, **moved}) if moved else request


def _check_expiry(time: datetime.datetime, expires: str, now: datetime.datetime) -> None:
    # 403 as the suites of other gateways expect, where Amazon answers 400.
    if not re.fullmatch(r"\d{1,6}", expires) or not 0 < int(expires) <= MAX_EXPIRY:
        raise S3Error("AccessDenied", f"X-Amz-Expires must be a number from 1 to {MAX_EXPIRY}")
    if now - time < -MAX_CLOCK_SKEW:
        raise S3Error("AccessDenied", "Request is not yet valid")
    end = time + datetime.timedelta(seconds=int(expires))
    if now > end:
        raise S3Error("AccessDenied", "Request has expired", Expires=end, ServerTime=now)


def parse_credential(credential: str, error_code: str) -> tuple[str, Scope]:
    """Return the access key and the scope of `ACCESS_KEY/DATE/REGION/s3/aws4_request`.

    Raises: `S3Error` with `error_code`.
    """
    access_key, *parts = credential.split("/")
    if len(parts) != 4 or not access_key or parts[3] != "aws4_request":
        message = 'The Credential must be "<access key>/YYYYMMDD/REGION/s3/aws4_request".'
        raise S3Error(error_code, message)
    date, region, service, _ = parts
    if service != signature.SERVICE:
        raise S3Error(error_code, f'The service of the Credential must be "s3", not "{service}".')
    return access_key, Scope(date, region)


def find_key(keys: Keys, access_key: str) -> Key:
    """Return a key. Raises: `S3Error` (InvalidAccessKeyId)."""
    key = keys.find(access_key)
    if key is None:
        raise S3Error("InvalidAccessKeyId", AWSAccessKeyId=access_key)
    return key


def check_signature(secret: bytes, texts: Iterable[str], given: str, key: Key) -> None:
    """Compare a signature with those of one or more texts.

    Raises: `S3Error` (SignatureDoesNotMatch).
    """
    text = ""
    for text in texts:
        if signature.signatures_equal(signature.sign(secret, text), given):
            return
    raise S3Error(
        "SignatureDoesNotMatch",
        AWSAccessKeyId=key.access_key, SignatureProvided=given, StringToSign=text,
    )  # fmt: skip


def parse_timestamp(timestamp: str) -> datetime.datetime | None:
    """Parse `YYYYMMDDTHHMMSSZ`; return None if it is something else."""
    if (match := _TIMESTAMP.fullmatch(timestamp)) is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return None


def _timestamp(request: Request) -> str:
    """Return the time of a signed request: x-amz-date, or Date in either of its forms."""
    value = request.header("x-amz-date") or request.header("date") or ""
    if _TIMESTAMP.fullmatch(value):
        return value
    try:
        return parsedate_to_datetime(value).astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    except (OverflowError, TypeError, ValueError):
        return ""


def _signed_headers(
    request: Request, names: str, error_code: str, optional: frozenset[str]
) -> list[str]:
    """Return the names of the signed headers: Host, and all of x-amz-*.

    Raises: `S3Error` (`error_code`: they are no names of headers; AccessDenied: a header that must
    be signed is not).
    """
    if not _HEADER_NAMES.fullmatch(names):
        message = "SignedHeaders must be names of headers in lower case, separated by semicolons."
        raise S3Error(error_code, message)
    signed = names.split(";")
    required = {name for name in request.headers if name.startswith("x-amz-")} - optional
    if missing := sorted(({"host"} | required) - set(signed)):
        raise S3Error(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(missing),
        )
    return signed


def _payload_hash(request: Request) -> str:
    """Return what a request declares about its body. Raises: `S3Error`."""
    value = request.header(_CONTENT_SHA256)
    if value is None or value in STREAMING or value == UNSIGNED_PAYLOAD:
        return value or UNSIGNED_PAYLOAD
    if value.startswith("STREAMING-"):
        raise S3Error("NotImplemented", f"{_CONTENT_SHA256} {value} is not implemented.")
    if not _SHA256.fullmatch(value):
        message = (
            f"{_CONTENT_SHA256} must be UNSIGNED-PAYLOAD, {', '.join(sorted(STREAMING))}, "
            "or a valid sha256 value."
        )
        raise S3Error("InvalidArgument", message)
    return value
