"""Access control lists: grants, canned ACLs, the form that is stored, and what a caller may do."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS: Final = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
GROUPS: Final = frozenset({ALL_USERS, AUTHENTICATED_USERS})


class Permission(enum.Enum):
    """What a grant allows."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission of a grantee: the id of a user, or the URI of a group."""

    grantee: str
    permission: Permission


Acl = tuple[Grant, ...]

_PUBLIC: Final[dict[str, tuple[Grant, ...]]] = {
    "private": (),
    "public-read": (Grant(ALL_USERS, Permission.READ),),
    "public-read-write": (Grant(ALL_USERS, Permission.READ), Grant(ALL_USERS, Permission.WRITE)),
    "authenticated-read": (Grant(AUTHENTICATED_USERS, Permission.READ),),
}
_BUCKET_OWNER: Final = {
    "bucket-owner-read": Permission.READ,
    "bucket-owner-full-control": Permission.FULL_CONTROL,
}
CANNED: Final = frozenset(_PUBLIC) | frozenset(_BUCKET_OWNER)


def private_acl(owner: str) -> Acl:
    """Return the ACL of what has none."""
    return (Grant(owner, Permission.FULL_CONTROL),)


def canned_acl(name: str, owner: str, bucket_owner: str | None) -> Acl:
    """Return the grants of a canned ACL.

    `bucket_owner` is None for a bucket: S3 ignores the names that concern it.
    """
    grants = _PUBLIC.get(name, ())
    if name in _BUCKET_OWNER and bucket_owner not in (None, owner):
        grants = (Grant(bucket_owner or "", _BUCKET_OWNER[name]),)
    return (*private_acl(owner), *grants)


def is_allowed(acl: Acl, caller: str | None, permission: Permission, *, public: bool) -> bool:
    """Return whether a caller has a permission; None is the anonymous caller.

    Without `public`, grants to groups have no effect.
    """
    grantees = set() if caller is None else {caller}
    if public:
        grantees |= {ALL_USERS} if caller is None else GROUPS
    return any(
        grant.grantee in grantees and grant.permission in (permission, Permission.FULL_CONTROL)
        for grant in acl
    )


def is_public(acl: Iterable[Grant]) -> bool:
    """Return whether an ACL has a grant to a group."""
    return any(grant.grantee in GROUPS for grant in acl)


def dump_acl(acl: Acl) -> str:
    """Return an ACL as it is stored."""
    return json.dumps([[grant.grantee, grant.permission.value] for grant in acl])


def load_acl(stored: str | None) -> Acl | None:
    """Return a stored ACL. It is None if there is none, or if another client wrote nonsense."""
    if stored is None:
        return None
    try:
        return tuple(
            Grant(str(grantee), Permission(permission))
            for grantee, permission in json.loads(stored)
        )
    except (ValueError, TypeError):
        return None
