"""Policies of POST forms: their signature, and the conditions that the fields must fulfil."""

from __future__ import annotations

import base64
import binascii
import datetime
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jetstow.s3.auth import signature
from jetstow.s3.auth.authenticate import (
    Identity,
    check_signature,
    find_key,
    parse_credential,
    parse_timestamp,
)
from jetstow.s3.auth.keys import Keys
from jetstow.s3.body.checksums import HEADER_PREFIX
from jetstow.s3.errors import S3Error

POLICY: Final = "policy"
_V4_FIELDS: Final = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
_V2_FIELDS: Final = ("awsaccesskeyid", "signature")

# Fields that need no condition. A checksum can only refuse a file.
_FREE: Final = frozenset({POLICY, "x-amz-signature", *_V2_FIELDS})
_FREE_PREFIXES: Final = ("x-ignore-", HEADER_PREFIX)
_EXPIRATION: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy: `conditions` are (operator, field, value), the sizes those of the file."""

    expiration: datetime.datetime
    conditions: tuple[tuple[str, str, str], ...]
    min_size: int = 0
    max_size: int | None = None

    def check(self, fields: Mapping[str, str], now: datetime.datetime) -> None:
        """Check the fields, `bucket` included. Raises: `S3Error` (AccessDenied)."""
        if now > self.expiration:
            raise S3Error("AccessDenied", "Invalid according to Policy: Policy expired.")
        for operator, name, value in self.conditions:
            given = fields.get(name, "")
            fits = given.startswith(value) if operator == "starts-with" else given == value
            if name not in fields or not fits:
                condition = json.dumps([operator, f"${name}", value])
                message = f"Invalid according to Policy: Policy Condition failed: {condition}"
                raise S3Error("AccessDenied", message)
        covered = {name for _, name, _ in self.conditions}
        for name in fields.keys() - covered - _FREE:
            if not name.startswith(_FREE_PREFIXES):
                message = f"Invalid according to Policy: Extra input fields: {name}"
                raise S3Error("AccessDenied", message)


def authenticate_form(fields: Mapping[str, str], keys: Keys) -> Identity:
    """Verify the signature of a form's policy. A form without one is anonymous.

    It is that of version 4, or the one of version 2, with which many programs still sign forms.

    Raises: `S3Error` (InvalidArgument: a field is missing; InvalidAccessKeyId;
    SignatureDoesNotMatch; AccessDenied).
    """
    names = _V2_FIELDS if _V2_FIELDS[0] in fields else _V4_FIELDS
    if not any(name in fields for name in (*_V2_FIELDS, *_V4_FIELDS, POLICY)):
        return Identity(None)
    for name in (*names, POLICY):
        if not fields.get(name):
            message = f"Bucket POST must contain a field named '{name}'."
            raise S3Error("InvalidArgument", message, ArgumentName=name, ArgumentValue="")
    policy = fields[POLICY]
    if names is _V2_FIELDS:
        key = find_key(keys, fields["awsaccesskeyid"])
        digest = hmac.digest(key.secret_key.encode(), policy.encode(), "sha1")
        given = fields["signature"]
        if not signature.signatures_equal(base64.b64encode(digest).decode(), given):
            access_key = key.access_key
            raise S3Error("SignatureDoesNotMatch", AWSAccessKeyId=access_key, StringToSign=policy)
        return Identity(key)
    algorithm, credential, timestamp, given = (fields[name] for name in _V4_FIELDS)
    access_key, scope = parse_credential(credential, "InvalidArgument")
    if algorithm != signature.ALGORITHM:
        raise S3Error("InvalidArgument", f"x-amz-algorithm must be {signature.ALGORITHM}.")
    if parse_timestamp(timestamp) is None or timestamp[:8] != scope.date:
        raise S3Error("AccessDenied", "x-amz-date must have the date of x-amz-credential.")
    key = find_key(keys, access_key)
    check_signature(signature.signing_key(key.secret_key, scope), (policy,), given, key)
    return Identity(key)


def parse_policy(encoded: str) -> Policy:
    """Parse a policy document in base64. Raises: `S3Error` (InvalidPolicyDocument)."""
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _invalid("it is not JSON in base64") from None
    if not isinstance(document, dict):
        raise _invalid("it is not an object")
    expiration, conditions = document.get("expiration"), document.get("conditions")
    if not isinstance(expiration, str) or not _EXPIRATION.fullmatch(expiration):
        raise _invalid("expiration must be a time such as 2026-01-02T03:04:05Z")
    if not isinstance(conditions, list):
        raise _invalid("conditions must be a list")
    try:
        end = datetime.datetime.fromisoformat(expiration)
    except ValueError:
        raise _invalid("expiration is not valid") from None
    parsed, minimum, maximum = [], 0, None
    for condition in conditions:
        if isinstance(condition, list) and condition[:1] == ["content-length-range"]:
            minimum, maximum = _parse_range(condition)
        else:
            parsed.append(_parse_condition(condition))
    return Policy(end, tuple(parsed), minimum, maximum)


def _parse_range(condition: list[Any]) -> tuple[int, int]:
    try:
        _, minimum, maximum = condition
        minimum, maximum = int(minimum), int(maximum)
    except (TypeError, ValueError, OverflowError):
        raise _invalid("content-length-range needs two numbers") from None
    if not 0 <= minimum <= maximum:
        raise _invalid("content-length-range is not valid")
    return minimum, maximum


def _parse_condition(condition: object) -> tuple[str, str, str]:
    match condition:
        case dict() if len(condition) == 1:
            ((name, value),) = condition.items()
            operator = "eq"
        case [str(operator), str(name), value] if name.startswith("$"):
            operator, name = operator.lower(), name[1:]
        case _:
            raise _invalid("a condition is not valid")
    if operator not in ("eq", "starts-with") or not isinstance(value, str):
        raise _invalid("a condition is not valid")
    return operator, name.lower(), value


def _invalid(reason: str) -> S3Error:
    return S3Error("InvalidPolicyDocument", f"Invalid Policy: {reason}.")
