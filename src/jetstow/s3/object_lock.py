"""Object lock: the rule of a bucket, retentions and legal holds in requests and responses.

The library enforces them (`jetstow.Retention`). A bucket with object lock has versions forever.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Final

from jetstow import Retention
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import BucketState
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import OBJECT_LOCK
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, format_time, text

BUCKET_HEADER: Final = "x-amz-bucket-object-lock-enabled"
_BYPASS: Final = "x-amz-bypass-governance-retention"
_MODE: Final = "x-amz-object-lock-mode"
_UNTIL: Final = "x-amz-object-lock-retain-until-date"
_LEGAL_HOLD: Final = "x-amz-object-lock-legal-hold"
_HEADERS: Final = (_MODE, _UNTIL, _LEGAL_HOLD)

# The setting of a bucket with object lock: this, or the mode and the days of its rule, or years.
ENABLED: Final = "enabled"
_RULE: Final = re.compile(r"(GOVERNANCE|COMPLIANCE) ([0-9]{1,5}) (Days|Years)")

# S3's limits of a rule.
_MAX: Final = {"Days": 36_500, "Years": 100}
_MODES: Final = ("GOVERNANCE", "COMPLIANCE")


def has_object_lock(bucket: BucketState) -> bool:
    """Return whether a bucket has object lock."""
    return OBJECT_LOCK in bucket.settings


def check_object_lock(bucket: BucketState) -> None:
    """Raise InvalidRequest if a bucket has no object lock."""
    if not has_object_lock(bucket):
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")


# -- the rule of a bucket --------------------------------------------------------------------


def parse_configuration(data: bytes) -> str:
    """Return the setting of an ObjectLockConfiguration document.

    Raises: `S3Error` (MalformedXML, InvalidRetentionPeriod).
    """
    root = parse_xml(data, "ObjectLockConfiguration")
    if root.value("ObjectLockEnabled") != "Enabled":
        raise S3Error("MalformedXML", "ObjectLockEnabled must be Enabled.")
    rule = root.child("Rule")
    if rule is None:
        return ENABLED
    default = rule.child("DefaultRetention")
    mode = None if default is None else default.value("Mode")
    if default is None or mode not in _MODES:
        raise S3Error("MalformedXML", "The rule needs a DefaultRetention with a valid Mode.")
    periods = {unit: value for unit in _MAX if (value := default.value(unit)) is not None}
    if len(periods) != 1:
        raise S3Error("MalformedXML", "The rule needs Days or Years.")
    ((unit, value),) = periods.items()
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise S3Error("MalformedXML", f"{unit} must be a number.")
    if not 1 <= int(value) <= _MAX[unit]:
        message = f"Default retention period must be from 1 to {_MAX[unit]} {unit.lower()}."
        raise S3Error("InvalidRetentionPeriod", message)
    return f"{mode} {int(value)} {unit}"


def configuration_document(bucket: BucketState) -> str:
    """Return the ObjectLockConfiguration document of a bucket.

    Raises: `S3Error` (ObjectLockConfigurationNotFoundError).
    """
    if not has_object_lock(bucket):
        raise S3Error("ObjectLockConfigurationNotFoundError", BucketName=bucket.name)
    rule = ""
    if match := _RULE.fullmatch(bucket.settings[OBJECT_LOCK]):
        default = text("Mode", match[1]) + text(match[3], match[2])
        rule = element("Rule", element("DefaultRetention", default))
    return document("ObjectLockConfiguration", text("ObjectLockEnabled", "Enabled"), rule)


def _default_retention(bucket: BucketState, now: datetime.datetime) -> Retention | None:
    match = _RULE.fullmatch(bucket.settings.get(OBJECT_LOCK, ""))
    if match is None:
        return None
    days = int(match[2]) * (1 if match[3] == "Days" else 365)
    return _retention(match[1], now + datetime.timedelta(days))


# -- locks of objects ------------------------------------------------------------------------


def new_lock(
    bucket: BucketState, headers: Mapping[str, str], now: datetime.datetime
) -> tuple[Retention | None, bool]:
    """Return the retention and the legal hold of a new object, by its headers and the rule.

    Raises: `S3Error` (InvalidRequest, InvalidArgument).
    """
    given = {name: headers[name] for name in _HEADERS if name in headers}
    if given:
        check_object_lock(bucket)
    if (_MODE in given) != (_UNTIL in given):
        message = f"{_MODE} and {_UNTIL} must both be supplied"
        raise S3Error("InvalidArgument", message)
    hold = given.get(_LEGAL_HOLD, "OFF")
    if hold not in ("ON", "OFF"):
        raise S3Error("InvalidArgument", ArgumentName=_LEGAL_HOLD, ArgumentValue=hold)
    if _MODE not in given:
        return _default_retention(bucket, now), hold == "ON"
    if given[_MODE] not in _MODES:
        message = "Unknown wormMode directive."
        raise S3Error("InvalidArgument", message, ArgumentName=_MODE, ArgumentValue=given[_MODE])
    until = _parse_time(given[_UNTIL])
    if until is None:
        raise S3Error("InvalidArgument", ArgumentName=_UNTIL, ArgumentValue=given[_UNTIL])
    _check_future(until, now)
    return _retention(given[_MODE], until), hold == "ON"


def lock_headers(info: ObjectInfo) -> dict[str, str]:
    """Return the headers that describe the lock of an object."""
    headers = {_LEGAL_HOLD: "ON"} if info.legal_hold else {}
    if info.retention is not None:
        headers[_MODE] = info.retention.mode.upper()
        headers[_UNTIL] = format_time(info.retention.until)
    return headers


def parse_retention(data: bytes, now: datetime.datetime) -> Retention | None:
    """Return the retention of a Retention document; None for an empty one, which removes it.

    Raises: `S3Error` (MalformedXML; InvalidArgument: it is not in the future).
    """
    root = parse_xml(data, "Retention")
    mode, date = root.value("Mode"), root.value("RetainUntilDate")
    if mode is None and date is None:
        return None
    until = None if date is None else _parse_time(date)
    if mode not in _MODES or until is None:
        raise S3Error("MalformedXML")
    _check_future(until, now)
    return _retention(mode, until)


def retention_document(info: ObjectInfo) -> str:
    """Return the Retention document. Raises: `S3Error` (NoSuchObjectLockConfiguration)."""
    retention = info.retention
    if retention is None:
        raise S3Error("NoSuchObjectLockConfiguration")
    mode, until = retention.mode.upper(), format_time(retention.until)
    return document("Retention", text("Mode", mode), text("RetainUntilDate", until))


def parse_legal_hold(data: bytes) -> bool:
    """Return whether a LegalHold document is ON. Raises: `S3Error` (MalformedXML)."""
    root: Node = parse_xml(data, "LegalHold")
    status = root.value("Status")
    if status not in ("ON", "OFF"):
        raise S3Error("MalformedXML", "Status must be ON or OFF.")
    return status == "ON"


def bypasses_governance(call: Call, key: str) -> bool:
    """Return whether a request bypasses retentions in the mode governance.

    Raises: `S3Error` (AccessDenied: the caller may not).
    """
    if (call.request.header(_BYPASS) or "").lower() != "true":
        return False
    # In a bucket without object lock, too: other NATS clients lock objects in any with versions.
    call.check("BypassGovernanceRetention", key)
    return True


def _retention(mode: str, until: datetime.datetime) -> Retention:
    return Retention("governance" if mode == "GOVERNANCE" else "compliance", until)


def _check_future(until: datetime.datetime, now: datetime.datetime) -> None:
    if until <= now:
        raise S3Error("InvalidArgument", "The retain until date must be in the future!")


def _parse_time(value: str) -> datetime.datetime | None:
    """Return a time in UTC; None if it is none, or after the year 9999."""
    try:
        time = datetime.datetime.fromisoformat(value)
        return time.replace(tzinfo=time.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (OverflowError, ValueError):
        return None
