"""CORS: the rules of a bucket, and the headers that they add to responses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.json_settings import load_setting
from jetstow.s3.reserved import CORS
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

ORIGIN: Final = "origin"
REQUEST_METHOD: Final = "access-control-request-method"
REQUEST_HEADERS: Final = "access-control-request-headers"

_METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
# S3's limit.
_MAX_RULES: Final = 100
_VARY: Final = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


class Rule(msgspec.Struct, frozen=True):
    """A rule. Origins and headers may have one asterisk each."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    id: str | None = None

    def allows(self, origin: str, method: str, headers: Iterable[str]) -> bool:
        """Return whether the rule allows a request."""
        return (
            method in self.methods
            and any(_matches(pattern, origin) for pattern in self.origins)
            and all(any(_matches(each.lower(), name) for each in self.headers) for name in headers)
        )


def _matches(pattern: str, value: str) -> bool:
    start, asterisk, end = pattern.partition("*")
    if not asterisk:
        return pattern == value
    return len(value) >= len(start) + len(end) and value.startswith(start) and value.endswith(end)


def parse_rules(data: bytes) -> tuple[Rule, ...]:
    """Return the rules of a CORSConfiguration document.

    Raises: `S3Error` (MalformedXML, InvalidRequest).
    """
    root = parse_xml(data, "CORSConfiguration")
    rules = tuple(_parse_rule(node) for node in root.children())
    if not 1 <= len(rules) <= _MAX_RULES:
        raise S3Error("MalformedXML")
    return rules


def _parse_rule(node: Node) -> Rule:
    values: dict[str, list[str]] = {}
    for child in node.children():
        values.setdefault(child.name, []).append(child.text)
    origins, methods = values.pop("AllowedOrigin", []), values.pop("AllowedMethod", [])
    headers, exposed = values.pop("AllowedHeader", []), values.pop("ExposeHeader", [])
    ages, ids = values.pop("MaxAgeSeconds", []), values.pop("ID", [])
    if node.name != "CORSRule" or values or not origins or not methods:
        raise S3Error("MalformedXML")
    if max(len(ages), len(ids)) > 1 or not all(re.fullmatch(r"\d{1,9}", age) for age in ages):
        raise S3Error("MalformedXML")
    for method in methods:
        if method not in _METHODS:
            message = "Found unsupported HTTP method in CORS config. Unsupported method is "
            raise S3Error("InvalidRequest", message + method)
    for name, patterns in (("AllowedOrigin", origins), ("AllowedHeader", headers)):
        for pattern in patterns:
            if pattern.count("*") > 1:
                message = f'{name} "{pattern}" can not have more than one wildcard.'
                raise S3Error("InvalidRequest", message)
    for name in exposed:
        if "*" in name:
            message = f'ExposeHeader "{name}" contains wildcard. We currently do not support it.'
            raise S3Error("InvalidRequest", message)
    return Rule(
        tuple(origins), tuple(methods), tuple(headers), tuple(exposed),
        int(ages[0]) if ages else None, ids[0] if ids else None,
    )  # fmt: skip


def load_cors_rules(bucket: BucketState) -> tuple[Rule, ...]:
    """Return the rules of a bucket; none if another client wrote nonsense."""
    return load_setting(bucket, CORS, tuple[Rule, ...], ())


def rules_document(rules: tuple[Rule, ...]) -> str:
    """Return the CORSConfiguration document."""
    return document("CORSConfiguration", *(_rule_element(rule) for rule in rules))


def _rule_element(rule: Rule) -> str:
    return element(
        "CORSRule",
        text("ID", rule.id),
        *(text("AllowedMethod", method) for method in rule.methods),
        *(text("AllowedOrigin", origin) for origin in rule.origins),
        *(text("AllowedHeader", header) for header in rule.headers),
        *(text("ExposeHeader", header) for header in rule.exposed),
        text("MaxAgeSeconds", rule.max_age),
    )


def cors_headers(bucket: BucketState, method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers for the response to a request with an Origin: none without a rule."""
    origin = headers[ORIGIN]
    requested = headers.get(REQUEST_HEADERS, "")
    names = [name for part in requested.split(",") if (name := part.strip().lower())]
    method = headers.get(REQUEST_METHOD, method)
    for rule in load_cors_rules(bucket):
        if rule.allows(origin, method, names):
            return _response_headers(rule, origin, names)
    return {}


def _response_headers(rule: Rule, origin: str, names: list[str]) -> dict[str, str]:
    everyone = "*" in rule.origins
    response = {
        "access-control-allow-origin": "*" if everyone else origin,
        "access-control-allow-methods": ", ".join(rule.methods),
        "vary": _VARY,
    }
    if not everyone:
        response["access-control-allow-credentials"] = "true"
    if names:
        response["access-control-allow-headers"] = ", ".join(names)
    if rule.exposed:
        response["access-control-expose-headers"] = ", ".join(rule.exposed)
    if rule.max_age is not None:
        response["access-control-max-age"] = str(rule.max_age)
    return response
