"""Headers of S3's features that the gateway does not have: refused, never accepted and ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from jetstow.s3.customer_key import PREFIX, SOURCE_PREFIX
from jetstow.s3.errors import S3Error

_MESSAGE: Final = "A header you provided implies functionality that is not implemented."


class _Refusal(NamedTuple):
    """How S3 refuses a header. `harmless` are the values (in lower case) that ask for nothing."""

    code: str = "NotImplemented"
    message: str = _MESSAGE
    harmless: frozenset[str] = frozenset()


_FALSE: Final = frozenset({"false"})
_NOT_IMPLEMENTED: Final = _Refusal()

# All are headers of requests, and fields of POST forms. A name that ends with a hyphen is a prefix.
_REFUSALS: Final[dict[str, _Refusal]] = {
    "x-amz-copy-source-server-side-encryption-": _NOT_IMPLEMENTED,
    "x-amz-mfa": _NOT_IMPLEMENTED,
    "x-amz-object-annotation-directive": _NOT_IMPLEMENTED._replace(harmless=frozenset({"copy"})),
    "x-amz-security-token": _Refusal(
        "InvalidToken", "The gateway has no temporary credentials: use a key without a token."
    ),
    "x-amz-server-side-encryption": _NOT_IMPLEMENTED,
    "x-amz-server-side-encryption-": _NOT_IMPLEMENTED._replace(harmless=_FALSE),
    "x-amz-storage-class": _Refusal(
        "InvalidStorageClass",
        "The storage class you specified is not valid: there is only STANDARD.",
        frozenset({"standard"}),
    ),
    "x-amz-write-offset-bytes": _NOT_IMPLEMENTED,
}
_PREFIXES: Final = tuple(name for name in _REFUSALS if name.endswith("-"))


def refuse_not_implemented(headers: Mapping[str, str]) -> None:
    """Refuse a request, or a form, with a header of a feature that is not implemented.

    Raises: `S3Error` (NotImplemented, or S3's own code for the feature).
    """
    for name, value in headers.items():
        if not name.startswith("x-amz-") or name.startswith((PREFIX, SOURCE_PREFIX)):
            continue
        refusal = _REFUSALS.get(name)
        if refusal is None and name.startswith(_PREFIXES):
            refusal = _REFUSALS[next(prefix for prefix in _PREFIXES if name.startswith(prefix))]
        if refusal is not None and value.lower() not in refusal.harmless:
            raise S3Error(refusal.code, refusal.message, Header=name, ArgumentValue=value)
