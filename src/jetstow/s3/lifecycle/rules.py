"""The lifecycle rules of a bucket: which objects they apply to, and when these expire."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec

from jetstow.http.dates import format_date
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.buckets import BucketState
from jetstow.s3.json_settings import load_setting
from jetstow.s3.reserved import LIFECYCLE

EXPIRATION_HEADER: Final = "x-amz-expiration"

_DAY: Final = datetime.timedelta(days=1)
_NEVER: Final = datetime.datetime.max.replace(microsecond=0, tzinfo=datetime.UTC)


class Filter(msgspec.Struct, frozen=True):
    """The conditions of a rule, all of which an object must meet. None: there is no condition."""

    prefix: str | None = None
    tags: dict[str, str] = {}
    larger_than: int | None = None
    smaller_than: int | None = None

    def selects(self, key: str, tags: Mapping[str, str], size: int) -> bool:
        """Return whether an object meets the conditions."""
        return (
            key.startswith(self.prefix or "")
            and self.tags.items() <= tags.items()
            and (self.larger_than is None or size > self.larger_than)
            and (self.smaller_than is None or size < self.smaller_than)
        )


class Rule(msgspec.Struct, frozen=True):
    """A rule. It has at least one action; None: it does not have this one.

    `days` and `date` let current objects expire, and `markers` removes delete markers behind which
    there is no version. `noncurrent_days` lets other versions expire, except for the
    `newer_noncurrent` newest. `upload_days` ends uploads. `has_filter`: its prefix is in a filter.
    """

    id: str
    is_enabled: bool
    filter: Filter
    has_filter: bool
    days: int | None = None
    date: datetime.datetime | None = None
    markers: bool | None = None
    noncurrent_days: int | None = None
    newer_noncurrent: int | None = None
    upload_days: int | None = None

    @property
    def is_for_objects(self) -> bool:
        """Whether the rule removes objects or versions of them, and not only uploads."""
        actions = (self.days, self.date, self.markers, self.noncurrent_days)
        return any(action is not None for action in actions)

    def expiry(self, created: datetime.datetime) -> datetime.datetime | None:
        """Return when a current object expires that was created at a time."""
        return self.date if self.days is None else add_days(created, self.days)


class Expiry(NamedTuple):
    """When an object expires, and the rule."""

    time: datetime.datetime
    rule: Rule

    @property
    def headers(self) -> dict[str, str]:
        """The header of a response that describes the object."""
        date = format_date(self.time)
        return {EXPIRATION_HEADER: f'expiry-date="{date}", rule-id="{quote(self.rule.id)}"'}


def add_days(time: datetime.datetime, days: int) -> datetime.datetime:
    """Return the midnight in UTC that ends the last of some days, as S3 counts them."""
    try:
        end = time.astimezone(datetime.UTC) + days * _DAY
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if midnight == end else midnight + _DAY
    except OverflowError:
        return _NEVER


def find_expiry(
    rules: Iterable[Rule], key: str, created: datetime.datetime, tags: Mapping[str, str], size: int
) -> Expiry | None:
    """Return when a current object expires by the first of its rules to let it expire, or None."""
    expiries = (
        Expiry(time, rule)
        for rule in rules
        if rule.is_enabled
        and (time := rule.expiry(created)) is not None
        and rule.filter.selects(key, tags, size)
    )
    return min(expiries, key=lambda expiry: expiry.time, default=None)


def find_object_expiry(rules: Iterable[Rule], info: ObjectInfo) -> Expiry | None:
    """Return when a current object expires, or None."""
    created = objects.modified_time(info)
    if created is None:
        return None
    return find_expiry(rules, info.name, created, objects.object_tags(info), info.size or 0)


def expiration_headers(bucket: BucketState, info: ObjectInfo) -> dict[str, str]:
    """Return the header that a response for an object has if a rule lets it expire."""
    rules = load_lifecycle_rules(bucket)
    expiry = find_object_expiry(rules, info) if rules else None
    return {} if expiry is None else expiry.headers


def load_lifecycle_rules(bucket: BucketState) -> tuple[Rule, ...]:
    """Return the rules of a bucket; none if another client wrote nonsense."""
    return load_setting(bucket, LIFECYCLE, tuple[Rule, ...], ())
