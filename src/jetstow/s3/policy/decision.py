"""What the policy of a bucket decides about a request."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

from jetstow.s3.buckets import BucketState
from jetstow.s3.ownership import RESTRICT_PUBLIC, public_access_flags
from jetstow.s3.policy.actions import is_object_action
from jetstow.s3.policy.conditions import Facts
from jetstow.s3.policy.document import ALL_USERS, BucketPolicy, Statement, load_policy
from jetstow.s3.policy.wildcards import matches_wildcards
from jetstow.s3.reserved import POLICY


class Decision(enum.Enum):
    """DENIED holds for the owner, too. NONE: the owner and the ACLs decide."""

    DENIED = "denied"
    ALLOWED = "allowed"
    NONE = "none"


_RANK: Final = {Decision.DENIED: 0, Decision.NONE: 1, Decision.ALLOWED: 2}


def decide(
    bucket: BucketState,
    user: str | None,
    actions: Iterable[str],
    key: str,
    facts: Facts,
    *,
    public: bool,
) -> Decision:
    """Return what the bucket's policy decides about some actions of a user (None: anonymous).

    All actions must be allowed. Without `public`, a policy that allows something to all
    users allows nothing.
    """
    policy = load_policy(bucket.settings.get(POLICY))
    if not policy.statements:
        return Decision.NONE
    decisions = [_decide_action(policy, bucket, user, action, key, facts) for action in actions]
    decision = min(decisions, key=_RANK.__getitem__, default=Decision.NONE)
    if decision is Decision.ALLOWED and policy.is_public:
        restricted = RESTRICT_PUBLIC in public_access_flags(bucket)
        return Decision.ALLOWED if public and not restricted else Decision.NONE
    return decision


def _decide_action(
    policy: BucketPolicy, bucket: BucketState, user: str | None, action: str, key: str, facts: Facts
) -> Decision:
    resource = f"{bucket.name}/{key}" if is_object_action(action) else bucket.name
    matching = [
        statement
        for statement in policy.statements
        if _matches(statement, user, action.lower(), resource)
        and all(condition.holds(facts) for condition in statement.conditions)
    ]
    if not matching:
        return Decision.NONE
    allowed = all(statement.allows for statement in matching)
    return Decision.ALLOWED if allowed else Decision.DENIED


def _matches(statement: Statement, user: str | None, action: str, resource: str) -> bool:
    if ALL_USERS not in statement.users and user not in statement.users:
        return False
    return any(matches_wildcards(each, action) for each in statement.actions) and any(
        matches_wildcards(each, resource) for each in statement.resources
    )
