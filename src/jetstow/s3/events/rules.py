"""The notification configuration of a bucket: which of its events are published."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

import msgspec

from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.json_settings import load_setting
from jetstow.s3.reserved import NOTIFICATION
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

# The only destination: the subjects `jetstow.s3.>`. Tools check that a topic has an ARN of AWS.
TOPIC: Final = "arn:aws:sns:::jetstow"

# The events that the gateway publishes, as their records name them.
PUT: Final = "ObjectCreated:Put"
POST: Final = "ObjectCreated:Post"
COPY: Final = "ObjectCreated:Copy"
COMPLETE: Final = "ObjectCreated:CompleteMultipartUpload"
DELETE: Final = "ObjectRemoved:Delete"
DELETE_MARKER: Final = "ObjectRemoved:DeleteMarkerCreated"
TAGGING_PUT: Final = "ObjectTagging:Put"
TAGGING_DELETE: Final = "ObjectTagging:Delete"
ACL_PUT: Final = "ObjectAcl:Put"
EVENTS: Final = (
    PUT, POST, COPY, COMPLETE, DELETE, DELETE_MARKER, TAGGING_PUT, TAGGING_DELETE, ACL_PUT,
)  # fmt: skip

_PREFIX: Final = "s3:"
_OTHER_DESTINATIONS: Final = (
    "QueueConfiguration", "CloudFunctionConfiguration", "EventBridgeConfiguration",
)  # fmt: skip
# S3's limits: of rules, and of the characters of a filter.
_MAX_RULES: Final = 100
_MAX_FILTER: Final = 1024


class Rule(msgspec.Struct, frozen=True):
    """Events that are published for keys with a prefix and a suffix.

    `events` are names such as `ObjectCreated:Put` or `ObjectCreated:*`.
    """

    id: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def selects(self, event: str, key: str) -> bool:
        """Return whether an event of a key is published."""
        return (
            any(_covers(pattern, event) for pattern in self.events)
            and key.startswith(self.prefix)
            and key.endswith(self.suffix)
        )


def _covers(pattern: str, event: str) -> bool:
    return pattern == event or (pattern.endswith("*") and event.startswith(pattern[:-1]))


_PATTERNS: Final = frozenset(EVENTS) | {f"{event.partition(':')[0]}:*" for event in EVENTS}


def parse_rules(data: bytes) -> tuple[Rule, ...]:
    """Return the rules of a NotificationConfiguration document.

    Raises: `S3Error` (MalformedXML; InvalidArgument: another destination, an event that is not
    published, a filter that is not valid, or two rules for the same event of the same keys).
    """
    root = parse_xml(data, "NotificationConfiguration")
    rules = tuple(
        _parse_rule(node, f"jetstow-{number}")
        for number, node in enumerate(root.children(), start=1)
    )
    if len(rules) > _MAX_RULES:
        raise S3Error("InvalidArgument", f"There cannot be more than {_MAX_RULES} configurations.")
    _check_distinct(rules)
    return rules


def _parse_rule(node: Node, default_id: str) -> Rule:
    if node.name in _OTHER_DESTINATIONS:
        message = f"There is no {node.name}: events are published to the Topic {TOPIC} only."
        raise S3Error("InvalidArgument", message, ArgumentName=node.name)
    known = {"Id", "Topic", "Event", "Filter"}
    if node.name != "TopicConfiguration" or not {child.name for child in node.children()} <= known:
        raise S3Error("MalformedXML")
    topic = node.required("Topic")
    if topic != TOPIC:
        message = f"Unable to validate the destination: the Topic must be {TOPIC}."
        raise S3Error("InvalidArgument", message, ArgumentName="Topic", ArgumentValue=topic)
    # Each once: the events of two rules are compared with each other.
    events = tuple(dict.fromkeys(child.text for child in node.children("Event")))
    if not events:
        raise S3Error("MalformedXML", "A TopicConfiguration needs an Event.")
    for event in events:
        if not event.startswith(_PREFIX) or event.removeprefix(_PREFIX) not in _PATTERNS:
            message = f"The event {event!r} is not supported for notifications."
            raise S3Error("InvalidArgument", message, ArgumentName="Event", ArgumentValue=event)
    names = tuple(event.removeprefix(_PREFIX) for event in events)
    filters = _parse_filter(node.child("Filter"))
    return Rule(
        node.value("Id") or default_id,
        names,
        filters.get("prefix", ""),
        filters.get("suffix", ""),
    )


def _parse_filter(node: Node | None) -> dict[str, str]:
    """Return the prefix and the suffix of a filter, if it has them."""
    filters: dict[str, str] = {}
    for key in _only_children(node, "S3Key"):
        for rule in _only_children(key, "FilterRule"):
            name, value = rule.required("Name").lower(), rule.raw_value("Value") or ""
            if name not in ("prefix", "suffix"):
                message = "filter rule name must be either prefix or suffix"
                raise S3Error("InvalidArgument", message, ArgumentName="FilterRule.Name",
                              ArgumentValue=name)  # fmt: skip
            if name in filters:
                message = f"Cannot specify more than one {name} rule in a filter."
                raise S3Error("InvalidArgument", message, ArgumentName="FilterRule.Name",
                              ArgumentValue=name)  # fmt: skip
            if len(value) > _MAX_FILTER:
                message = f"Size of filter rule value cannot exceed {_MAX_FILTER} bytes in UTF-8"
                raise S3Error("InvalidArgument", message, ArgumentName="FilterRule.Value")
            filters[name] = value
    return filters


def _only_children(node: Node | None, name: str) -> Iterable[Node]:
    for child in () if node is None else node.children():
        if child.name != name:
            raise S3Error("MalformedXML")
        yield child


def _check_distinct(rules: tuple[Rule, ...]) -> None:
    """Check that no event of a key is in two rules, as S3 does."""
    if len({rule.id for rule in rules}) < len(rules):
        message = "Configurations must have unique IDs."
        raise S3Error("InvalidArgument", message, ArgumentName="Id")
    for one, other in itertools.combinations(rules, 2):
        if (
            any(_overlap(a, b) for a in one.events for b in other.events)
            and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
            and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
        ):
            message = (
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two "
                "rules if the prefixes are overlapping for the same event type."
            )
            raise S3Error("InvalidArgument", message)


def _overlap(one: str, other: str) -> bool:
    return _covers(one, other) or _covers(other, one)


def find_rule(rules: tuple[Rule, ...], event: str, key: str) -> Rule | None:
    """Return the rule that selects an event of a key, or None."""
    return next((rule for rule in rules if rule.selects(event, key)), None)


def load_event_rules(bucket: BucketState) -> tuple[Rule, ...]:
    """Return the rules of a bucket; none if another client wrote nonsense."""
    return load_setting(bucket, NOTIFICATION, tuple[Rule, ...], ())


def rules_document(rules: tuple[Rule, ...]) -> str:
    """Return the NotificationConfiguration document."""
    return document("NotificationConfiguration", *(_rule_element(rule) for rule in rules))


def _rule_element(rule: Rule) -> str:
    filters = [
        element("FilterRule", text("Name", name), text("Value", value))
        for name, value in (("prefix", rule.prefix), ("suffix", rule.suffix))
        if value
    ]
    return element(
        "TopicConfiguration",
        text("Id", rule.id),
        text("Topic", TOPIC),
        *(text("Event", _PREFIX + event) for event in rule.events),
        element("Filter", element("S3Key", *filters)) if filters else "",
    )
