"""Parse a bucket policy. What the gateway does not implement is refused, never ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jetstow.s3.errors import S3Error
from jetstow.s3.policy.actions import KNOWN_ACTIONS
from jetstow.s3.policy.conditions import (
    KNOWN_KEYS,
    SOURCE_IP,
    Condition,
    find_operator,
    parse_network,
)
from jetstow.s3.policy.wildcards import matches_wildcards

# S3's limit, in bytes.
MAX_POLICY_SIZE: Final = 20 * 1024

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_FIELDS: Final = {"Version", "Id", "Statement"}
_STATEMENT_FIELDS: Final = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
_ACTIONS: Final = frozenset(action.lower() for action in KNOWN_ACTIONS)
ALL_USERS: Final = "*"
# Networks with shorter prefixes, by the version of IP, are no limit: S3 calls them public.
_LEAST_PREFIX: Final = {4: 8, 6: 32}
_RESOURCE_PREFIX: Final = "arn:aws:s3:"
_USER_PREFIX: Final = "arn:aws:iam:"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement. Users, actions and resources are patterns or names; one of each must match.

    Actions are in lower case: their case does not count. Resources are `BUCKET` or `BUCKET/KEY`.
    """

    allows: bool
    users: frozenset[str]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether the statement allows something to all users, at any address or at very many."""
        return (
            self.allows
            and ALL_USERS in self.users
            and not any(_limits_addresses(each) for each in self.conditions)
        )


def _limits_addresses(condition: Condition) -> bool:
    """Return whether a condition limits the addresses, by Amazon's measure of what is public."""
    if condition.key != SOURCE_IP or condition.operator != "IpAddress":
        return False
    networks = [parse_network(each) for each in condition.values]
    return all(each.prefixlen >= _LEAST_PREFIX[each.version] for each in networks)


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """The policy of a bucket."""

    statements: tuple[Statement, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether a statement is public."""
        return any(statement.is_public for statement in self.statements)


NO_POLICY: Final = BucketPolicy()


def parse_policy(text: str, bucket: str, has_user: Callable[[str], bool]) -> BucketPolicy:
    """Parse the policy document of a bucket. `has_user` returns whether a user has a key.

    Raises: `S3Error` (MalformedPolicy; EntityTooLarge).
    """
    if (size := len(text.encode())) > MAX_POLICY_SIZE:
        raise S3Error("EntityTooLarge", ProposedSize=size, MaxSizeAllowed=MAX_POLICY_SIZE)
    policy = _parse(text)
    for statement in policy.statements:
        for resource in statement.resources:
            if not matches_wildcards(resource.partition("/")[0], bucket):
                raise _malformed(f"Policy has invalid resource: {resource} is not in the bucket")
        for user in statement.users - {ALL_USERS}:
            if not has_user(user):
                raise _malformed(f"Invalid principal in policy: no key has the user {user}")
    return policy


@lru_cache(maxsize=256)
def load_policy(text: str | None) -> BucketPolicy:
    """Return a stored policy. One that cannot be read denies everything to all users.

    Another client, or a newer gateway, may have written it.
    """
    if text is None:
        return NO_POLICY
    try:
        return _parse(text)
    except S3Error:
        return BucketPolicy((Statement(False, frozenset({ALL_USERS}), ("*",), ("*",)),))


def _malformed(message: str) -> S3Error:
    return S3Error("MalformedPolicy", message)


def _parse(text: str) -> BucketPolicy:
    try:
        root = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        root = None
    if not isinstance(root, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    _check_fields(root, _FIELDS)
    if root.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise _malformed("The policy must contain a valid version string")
    statements = root.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise _malformed("Missing required field Statement")
    return BucketPolicy(tuple(_parse_statement(each) for each in statements))


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Of two fields with one name, readers disagree which counts."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise _malformed(f"The field {name} is there twice in the same JSON object")
        fields[name] = value
    return fields


def _check_fields(node: object, known: set[str]) -> None:
    if not isinstance(node, dict):
        raise _malformed("A statement must be a JSON object")
    for name in node:
        if name not in known:
            raise _malformed(f"The gateway does not implement the field {name}")


def _parse_statement(node: dict[str, Any]) -> Statement:
    _check_fields(node, _STATEMENT_FIELDS)
    for name in ("Effect", "Principal", "Action", "Resource"):
        if name not in node:
            raise _malformed(f"Missing required field {name}")
    effect = node["Effect"]
    if effect not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {effect}")
    return Statement(
        effect == "Allow",
        frozenset(_parse_principal(node["Principal"])),
        tuple(_parse_action(each) for each in _texts(node["Action"], "Action")),
        tuple(_parse_resource(each) for each in _texts(node["Resource"], "Resource")),
        tuple(_parse_conditions(node.get("Condition", {}))),
    )


def _texts(value: object, field: str) -> list[str]:
    """Return one text or a list of them as a list."""
    texts = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, str) or not each:
            raise _malformed(f"{field} must be a string or a list of strings")
        if "${" in each:
            raise _malformed("The gateway does not implement policy variables")
        texts.append(each)
    if not texts:
        raise _malformed(f"{field} must not be empty")
    return texts


def _parse_principal(value: object) -> list[str]:
    """Return the ids of users: the `user` of a key, or the end of the ARN of a user."""
    if value == ALL_USERS:
        return [ALL_USERS]
    if not isinstance(value, dict) or not value:
        raise _malformed("Invalid principal in policy")
    users = []
    for kind, names in value.items():
        if kind not in ("AWS", "CanonicalUser"):
            raise _malformed(f"Invalid principal in policy: {kind} is not implemented")
        users += [_user_of(name) for name in _texts(names, "Principal")]
    return users


def _user_of(name: str) -> str:
    if not name.startswith(_USER_PREFIX):
        return name
    account, _, rest = name.removeprefix(_USER_PREFIX).removeprefix(":").partition(":")
    user = account if rest == "root" else rest.rpartition("/")[2]
    if not user or "*" in user or (rest != "root" and not rest.startswith("user/")):
        raise _malformed(f"Invalid principal in policy: {name}")
    return user


def _parse_action(action: str) -> str:
    pattern = action.lower()
    if pattern not in _ACTIONS and not any(matches_wildcards(pattern, each) for each in _ACTIONS):
        raise _malformed(f"Policy has invalid action: {action}")
    return pattern


def _parse_resource(resource: str) -> str:
    if resource == "*":
        return resource
    parts = resource.removeprefix(_RESOURCE_PREFIX).split(":", 2)
    if not resource.startswith(_RESOURCE_PREFIX) or len(parts) < 3 or not parts[2]:
        raise _malformed(f"Policy has invalid resource: {resource}")
    return parts[2]


def _parse_conditions(node: object) -> list[Condition]:
    if not isinstance(node, dict):
        raise _malformed("Condition must be a JSON object")
    conditions = []
    for name, keys in node.items():
        operator = find_operator(name)
        if operator is None:
            raise _malformed(f"Invalid Condition type : {name}")
        if not isinstance(keys, dict):
            raise _malformed("Condition must be a JSON object of JSON objects")
        for key, value in keys.items():
            if key.lower() not in KNOWN_KEYS:
                raise _malformed(f"Policy has an invalid condition key: {key}")
            values = value if isinstance(value, list) else [value]
            if not values:
                raise _malformed(f"{key} must have a value for {name}")
            texts = tuple(_condition_text(each) for each in values)
            try:
                for text in texts:
                    operator.check(text)
            except ValueError:
                raise _malformed(f"Invalid value of {key} for {name}: {text}") from None
            conditions.append(Condition(name, key.lower(), texts))
    return conditions


def _condition_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise _malformed("A value of a Condition must be a string or a list of strings")
    return value if not value else _texts(value, "A value of a Condition")[0]
