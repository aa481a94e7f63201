"""The conditions of policies: operators, keys, and the facts of a request that they compare."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from jetstow.s3.policy.wildcards import matches_wildcards
from jetstow.s3.request import Request

# The keys of conditions, in lower case: their case does not count.
SOURCE_IP: Final = "aws:sourceip"
SECURE_TRANSPORT: Final = "aws:securetransport"
_OF_QUERY: Final = {
    "s3:prefix": "prefix",
    "s3:delimiter": "delimiter",
    "s3:max-keys": "max-keys",
}
_COPY_SOURCE: Final = "s3:x-amz-copy-source"
_OF_CLIENT: Final = {"aws:referer": "referer", "aws:useragent": "user-agent"}
_OF_HEADERS: Final = {
    "s3:x-amz-acl": "x-amz-acl",
    _COPY_SOURCE: "x-amz-copy-source",
    "s3:x-amz-metadata-directive": "x-amz-metadata-directive",
}
KNOWN_KEYS: Final = frozenset({SOURCE_IP, SECURE_TRANSPORT, *_OF_QUERY, *_OF_CLIENT, *_OF_HEADERS})

# No source of a copy, prefix or key is longer. A longer text would only take time.
_MAX_TEXT: Final = 4096

Test = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions compare. `headers` are those of the request, or the fields of a form."""

    request: Request
    headers: Mapping[str, str]

    def value(self, key: str) -> str | None:
        """Return the value of a key of `KNOWN_KEYS`; None if the request has none."""
        value = self._whole_value(key)
        return value if value is None else value[:_MAX_TEXT]

    def _whole_value(self, key: str) -> str | None:
        if key == SECURE_TRANSPORT:
            return "true" if self.request.scheme == "https" else "false"
        if key == SOURCE_IP:
            return self.request.client or None
        if key in _OF_QUERY:
            return self.request.query.get(_OF_QUERY[key])
        if key in _OF_CLIENT:
            return self.request.header(_OF_CLIENT[key])
        value = self.headers.get(_OF_HEADERS[key])
        return _plain_source(value) if value and key == _COPY_SOURCE else value


def _plain_source(value: str) -> str:
    """Return the source of a copy as `BUCKET/KEY`: the header has several forms of the same."""
    path = value.partition("?versionId=")[0]
    try:
        raw = path.encode("latin-1")
    except UnicodeEncodeError:  # the field of a form, which is any text
        raw = path.encode(errors="replace")
    return unquote_to_bytes(raw).decode(errors="replace").removeprefix("/")


def _is_in_network(expected: str, value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address in parse_network(expected)


@lru_cache(maxsize=4096)
def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Parse a network, or one address. Raises: `ValueError`."""
    return ipaddress.ip_network(text, strict=False)


def _compares(test: Callable[[float, float], bool]) -> Test:
    def compare(expected: str, value: str) -> bool:
        try:
            return test(float(value), float(expected))
        except ValueError:
            return False

    return compare


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: `check` raises ValueError for a value of the policy that it cannot compare.

    A negated one holds if the test holds for no value, and if the request has no value.
    """

    test: Test
    check: Callable[[str], object] = str
    negated: bool = False


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _equal(expected: str, value: str) -> bool:
    return expected == value


def _equal_ignoring_case(expected: str, value: str) -> bool:
    return expected.lower() == value.lower()


_EQUALS: Final = _compares(float.__eq__)
OPERATORS: Final[dict[str, Operator]] = {
    "StringEquals": Operator(_equal),
    "StringNotEquals": Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_ignoring_case, negated=True),
    "StringLike": Operator(matches_wildcards),
    "StringNotLike": Operator(matches_wildcards, negated=True),
    "Bool": Operator(_equal_ignoring_case, _boolean),
    "IpAddress": Operator(_is_in_network, parse_network),
    "NotIpAddress": Operator(_is_in_network, parse_network, negated=True),
    "NumericEquals": Operator(_EQUALS, float),
    "NumericNotEquals": Operator(_EQUALS, float, negated=True),
    "NumericLessThan": Operator(_compares(float.__lt__), float),
    "NumericLessThanEquals": Operator(_compares(float.__le__), float),
    "NumericGreaterThan": Operator(_compares(float.__gt__), float),
    "NumericGreaterThanEquals": Operator(_compares(float.__ge__), float),
    "Null": Operator(_equal_ignoring_case, _boolean),
}
_IF_EXISTS: Final = "IfExists"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a statement: an operator, a key of `KNOWN_KEYS`, and values."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, facts: Facts) -> bool:
        """Return whether the condition holds for a request."""
        value = facts.value(self.key)
        if self.operator == "Null":
            return any(_boolean(expected) == (value is None) for expected in self.values)
        operator = OPERATORS[self.operator.removesuffix(_IF_EXISTS)]
        if value is None:
            return operator.negated or self.operator.endswith(_IF_EXISTS)
        return any(operator.test(each, value) for each in self.values) != operator.negated


def find_operator(name: str) -> Operator | None:
    """Return the operator of a name, which may end with IfExists."""
    if name == "Null":
        return OPERATORS["Null"]
    plain = name.removesuffix(_IF_EXISTS)
    return None if plain == "Null" else OPERATORS.get(plain)
