"""The XML of lifecycle rules."""

from __future__ import annotations

import datetime
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

from jetstow.s3.errors import S3Error
from jetstow.s3.lifecycle.rules import Filter, Rule
from jetstow.s3.tags import parse_tag_nodes
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

# S3's limits.
_MAX_RULES: Final = 1000
_MAX_ID: Final = 255
_MAX_NEWER_VERSIONS: Final = 100
_MAX_DAYS: Final = 2**31 - 1
_MAX_TAGS: Final = 10

_TRANSITIONS: Final = frozenset({"Transition", "NoncurrentVersionTransition"})


def parse_rules(data: bytes) -> tuple[Rule, ...]:
    """Return the rules of a LifecycleConfiguration document.

    Raises: `S3Error` (MalformedXML, InvalidArgument, InvalidRequest, InvalidTag;
    InvalidStorageClass: there are no transitions to other storage classes).
    """
    root = parse_xml(data, "LifecycleConfiguration")
    rules = tuple(_parse_rule(node) for node in root.children())
    if not 1 <= len(rules) <= _MAX_RULES:
        raise S3Error("MalformedXML")
    if len({rule.id for rule in rules}) < len(rules):
        raise S3Error(
            "InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule"
        )
    return rules


def _parse_rule(node: Node) -> Rule:
    """Return a rule. Raises: as `parse_rules`."""
    if node.name != "Rule":
        raise S3Error("MalformedXML")
    children = _children(node)
    if transitions := _TRANSITIONS & children.keys():
        message = f"A {min(transitions)} needs another storage class: there is only STANDARD."
        raise S3Error("InvalidStorageClass", message)
    if unknown := children.keys() - _PARTS.keys() - {"ID", "Status"}:
        raise S3Error("MalformedXML", f"The element {min(unknown)} is not known in a Rule.")
    rule_id = children["ID"].text if "ID" in children else ""
    if len(rule_id) > _MAX_ID:
        message = f"ID length should not exceed allowed limit of {_MAX_ID}"
        raise S3Error("InvalidArgument", message, ArgumentName="ID", ArgumentValue=rule_id)
    status = node.required("Status")
    if status not in ("Enabled", "Disabled") or ("Prefix" in children) == ("Filter" in children):
        raise S3Error("MalformedXML")
    fields: dict[str, Any] = {}
    for name, parse in _PARTS.items():
        if name in children:
            fields |= parse(children[name])
    rule = Rule(
        id=rule_id or secrets.token_urlsafe(24),
        is_enabled=status == "Enabled",
        has_filter="Filter" in children,
        **fields,
    )
    _check_actions(rule)
    return rule


def _check_actions(rule: Rule) -> None:
    """Check that a rule has actions, and a filter that they can have."""
    is_for_objects = (rule.days, rule.date, rule.noncurrent_days) != (None, None, None)
    if not is_for_objects and (rule.markers, rule.upload_days) == (None, None):
        message = "At least one action needs to be specified in a rule"
        raise S3Error("InvalidRequest", message)
    has_sizes = (rule.filter.larger_than, rule.filter.smaller_than) != (None, None)
    for name, action in (
        ("AbortIncompleteMultipartUpload", rule.upload_days),
        ("ExpiredObjectDeleteMarker", rule.markers),
    ):
        if action is None:
            continue
        if rule.filter.tags:
            raise S3Error("InvalidRequest", f"{name} cannot be specified with Tags")
        if has_sizes:
            raise S3Error("InvalidRequest", f"{name} cannot be specified with Object Size")


def _parse_prefix(node: Node) -> dict[str, Any]:
    return {"filter": Filter(prefix=node.raw_text)}


def _parse_filter(node: Node) -> dict[str, Any]:
    """Return the filter: one condition, or several in an And."""
    children = list(node.children())
    if len(children) > 1:
        raise S3Error("MalformedXML")
    if children and children[0].name == "And":
        children = list(children[0].children())
        if len(children) < 2:
            raise S3Error("MalformedXML")
    tags = parse_tag_nodes([child for child in children if child.name == "Tag"], _MAX_TAGS)
    others = {child.name: child for child in children if child.name != "Tag"}
    known = {"Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
    if len(others) + len(tags) < len(children) or not others.keys() <= known:
        raise S3Error("MalformedXML")
    sizes = {
        name: _number(others[name], 0, 2**63 - 1)
        for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
        if name in others
    }
    larger, smaller = sizes.get("ObjectSizeGreaterThan"), sizes.get("ObjectSizeLessThan")
    if larger is not None and smaller is not None and larger >= smaller:
        message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
        raise S3Error("InvalidRequest", message)
    prefix = others["Prefix"].raw_text if "Prefix" in others else None
    return {"filter": Filter(prefix, tags, larger, smaller)}


def _parse_expiration(node: Node) -> dict[str, Any]:
    children = _children(node)
    if len(children) != 1:
        raise S3Error("MalformedXML")
    ((name, child),) = children.items()
    if name == "Days":
        return {"days": _number(child, 1, _MAX_DAYS)}
    if name == "Date":
        return {"date": _date(child.text)}
    if name == "ExpiredObjectDeleteMarker" and child.text in ("true", "false"):
        return {"markers": child.text == "true"}
    raise S3Error("MalformedXML")


def _parse_noncurrent(node: Node) -> dict[str, Any]:
    children = _children(node)
    if "NoncurrentDays" not in children or not children.keys() <= {
        "NoncurrentDays", "NewerNoncurrentVersions",
    }:  # fmt: skip
        raise S3Error("MalformedXML")
    fields: dict[str, Any] = {"noncurrent_days": _number(children["NoncurrentDays"], 1, _MAX_DAYS)}
    if "NewerNoncurrentVersions" in children:
        newer = _number(children["NewerNoncurrentVersions"], 1, _MAX_NEWER_VERSIONS)
        fields["newer_noncurrent"] = newer
    return fields


def _parse_uploads(node: Node) -> dict[str, Any]:
    children = _children(node)
    if children.keys() != {"DaysAfterInitiation"}:
        raise S3Error("MalformedXML")
    return {"upload_days": _number(children["DaysAfterInitiation"], 1, _MAX_DAYS)}


# The elements of a rule, and what reads their fields.
_PARTS: Final[dict[str, Callable[[Node], dict[str, Any]]]] = {
    "Prefix": _parse_prefix,
    "Filter": _parse_filter,
    "Expiration": _parse_expiration,
    "NoncurrentVersionExpiration": _parse_noncurrent,
    "AbortIncompleteMultipartUpload": _parse_uploads,
}


def _children(node: Node) -> dict[str, Node]:
    """Return child elements by name, each of which may be there once."""
    children = list(node.children())
    by_name = {child.name: child for child in children}
    if len(by_name) < len(children) and not _TRANSITIONS & by_name.keys():
        raise S3Error("MalformedXML")
    return by_name


def _number(node: Node, least: int, most: int) -> int:
    if not re.fullmatch(r"-?\d{1,20}", node.text, re.ASCII):
        raise S3Error("MalformedXML")
    if not least <= int(node.text) <= most:
        message = f"'{node.name}' must be a number from {least} to {most}."
        raise S3Error("InvalidArgument", message, ArgumentName=node.name, ArgumentValue=node.text)
    return int(node.text)


def _date(value: str) -> datetime.datetime:
    try:
        date = datetime.datetime.fromisoformat(value)
        date = date.replace(tzinfo=date.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (OverflowError, ValueError):
        raise S3Error("MalformedXML") from None
    if date.time() != datetime.time():
        message = "'Date' must be at midnight GMT"
        raise S3Error("InvalidArgument", message, ArgumentName="Date", ArgumentValue=value)
    return date


def rules_document(rules: tuple[Rule, ...]) -> str:
    """Return the LifecycleConfiguration document."""
    return document("LifecycleConfiguration", *(_rule_element(rule) for rule in rules))


def _rule_element(rule: Rule) -> str:
    return element(
        "Rule",
        text("ID", rule.id),
        _filter_element(rule.filter) if rule.has_filter else text("Prefix", rule.filter.prefix),
        text("Status", "Enabled" if rule.is_enabled else "Disabled"),
        _optional(
            "Expiration",
            text("Days", rule.days),
            text("Date", rule.date),
            text("ExpiredObjectDeleteMarker", rule.markers),
        ),
        _optional(
            "NoncurrentVersionExpiration",
            text("NoncurrentDays", rule.noncurrent_days),
            text("NewerNoncurrentVersions", rule.newer_noncurrent),
        ),
        _optional("AbortIncompleteMultipartUpload", text("DaysAfterInitiation", rule.upload_days)),
    )


def _filter_element(conditions: Filter) -> str:
    elements = [
        text("Prefix", conditions.prefix),
        *(element("Tag", text("Key", k), text("Value", v)) for k, v in conditions.tags.items()),
        text("ObjectSizeGreaterThan", conditions.larger_than),
        text("ObjectSizeLessThan", conditions.smaller_than),
    ]
    elements = [each for each in elements if each]
    return element("Filter", element("And", *elements) if elements[1:] else "".join(elements))


def _optional(name: str, *children: str) -> str:
    return element(name, *children) if any(children) else ""
