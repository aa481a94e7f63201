"""Versions of objects: the state of a bucket, the ids, and the hidden names that keep metadata.

A version that is not the current one is the metadata of an object under a hidden name, with the
NUID of its chunks: `.jetstow/versions/<name>/<id>`. See `docs/wire.md` and decision 43.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jetstow._bucket_models import VERSIONING
from jetstow._core.protocol.headers import joined_headers
from jetstow._headers import VERSION_HEADER, ObjectHeaders, header_values
from jetstow.models import ObjectInfo

# Hidden names begin with it. Its 18 bytes are 24 characters of base64 without a rest: so the
# subjects of these names have a common prefix, too.
VERSIONS_PREFIX: Final = ".jetstow/versions/"

# The id of what was written before versioning was enabled, or while it is suspended.
NULL_VERSION: Final = "null"

# The id in a delete marker of ADR-20 that is not a version: the last version was removed.
_NO_VERSION: Final = "none"


class Versioning(NamedTuple):
    """The state of versioning of a bucket. Metadata up to the revision `since` is older."""

    is_enabled: bool
    since: int

    def __str__(self) -> str:
        return f"{'enabled' if self.is_enabled else 'suspended'}:{self.since}"


@lru_cache(maxsize=256)  # each put asks
def _parse(text: str) -> Versioning | None:
    state, _, since = text.partition(":")
    if state not in ("enabled", "suspended") or not since.isdecimal():
        return None
    return Versioning(state == "enabled", int(since))


def versioning_of(config: dict[str, Any]) -> Versioning | None:
    """Return the state of versioning in a stream's configuration; None if it never was enabled."""
    text = (config.get("metadata") or {}).get(VERSIONING)
    return None if text is None else _parse(text)


# -- hidden names ----------------------------------------------------------------------------


def hidden_name(name: str, version: str) -> str:
    """Return the name under which a version is kept that is not the current one."""
    return f"{VERSIONS_PREFIX}{name}/{version}"


def split_hidden_name(hidden: str) -> tuple[str, str] | None:
    """Return the name and the version in a hidden name; None if it is not one."""
    if not hidden.startswith(VERSIONS_PREFIX):
        return None
    name, _, version = hidden[len(VERSIONS_PREFIX) :].rpartition("/")
    return (name, version) if name and version else None


# -- records ---------------------------------------------------------------------------------


class _Record(NamedTuple):
    """The header of a version: its id, and for a kept one when it was written.

    `revision` and `time` are those of its metadata when it was the current version. `removed` is
    the version whose removal made this one current.
    """

    version: str
    revision: int = 0
    time: str = ""
    is_marker: bool = False
    removed: str = ""

    def __str__(self) -> str:
        parts = [self.version]
        if self.revision:
            parts.append(f"revision={self.revision}")
        if self.time:
            parts.append(f"time={self.time}")
        if self.is_marker:
            parts.append("deleted")
        if self.removed:
            parts.append(f"removed={self.removed}")
        return " ".join(parts)


def _record(info: ObjectInfo) -> _Record | None:
    """Return the record in the headers of an object, None if it has none."""
    values = header_values(info.headers, VERSION_HEADER) if info.headers else []
    words = values[0].split() if values else []
    if not words:
        return None
    fields = dict(word.partition("=")[::2] for word in words[1:])
    revision = fields.get("revision", "")
    return _Record(
        words[0],
        int(revision) if revision.isdecimal() else 0,
        fields.get("time", ""),
        "deleted" in fields,
        fields.get("removed", ""),
    )


def _with_record(info: ObjectInfo, record: _Record | None) -> ObjectInfo:
    """Return metadata with this record in its headers, and no other."""
    headers = ObjectHeaders(
        item for item in (info.headers or {}).items() if item[0].lower() != VERSION_HEADER.lower()
    )
    extra = {} if record is None else {VERSION_HEADER: str(record)}
    return replace(info, headers=joined_headers(headers, extra))


# -- ids -------------------------------------------------------------------------------------


def set_version(versioning: Versioning, info: ObjectInfo) -> None:
    """Set the id of the current version of a name, and its time, from its metadata.

    It is None for a delete marker that is not a version, and for a hidden name.
    """
    if info.name.startswith(VERSIONS_PREFIX):
        return
    record = _record(info)
    if record is not None:
        info.version = None if record.version == _NO_VERSION else record.version
        info.mtime = record.time or info.mtime
    elif info.revision <= versioning.since:
        info.version = None if info.deleted else NULL_VERSION
    else:
        # A link of another client may have no NUID.
        info.version = info.nuid or f"revision-{info.revision}"


def shown_info(versioning: Versioning, info: ObjectInfo) -> ObjectInfo:
    """Return the metadata of a current version as users see it: with its id, not its record."""
    if info.version is None:
        set_version(versioning, info)
    return info if _record(info) is None else _with_record(info, None)


def with_new_version(versioning: Versioning, info: ObjectInfo) -> ObjectInfo:
    """Return metadata that is to be a new version: its id is its NUID, or null if suspended."""
    version = info.nuid if versioning.is_enabled else NULL_VERSION
    record = None if versioning.is_enabled else _Record(NULL_VERSION)
    changed = info
    if record is not None or _record(info) is not None:
        changed = _with_record(info, record)
    return replace(changed, version=version)


def with_same_version(info: ObjectInfo, replaced: ObjectInfo) -> ObjectInfo:
    """Return changed metadata of a version: it keeps its id and its time."""
    record = _record(replaced)
    version = replaced.version
    if record is not None:
        record = record._replace(removed="")  # another change removed it
    if record is None and version is not None and version != info.nuid:
        record = _Record(version)  # its revision will not show any more that it is older
    changed = info if record is None and _record(info) is None else _with_record(info, record)
    return replace(changed, version=version)


def without_version(info: ObjectInfo, removed: str) -> ObjectInfo:
    """Return a delete marker that is not a version: the last one of its name was removed."""
    return replace(_with_record(info, _Record(_NO_VERSION, removed=removed)), version=None)


def removed_version(info: ObjectInfo) -> str | None:
    """Return the version whose removal published the metadata of a name; None if it was not one."""
    record = _record(info)
    return None if record is None else record.removed or None


def is_published_again(info: ObjectInfo) -> bool:
    """Return whether the metadata of a name is that of an older version, made current again."""
    record = _record(info)
    return record is not None and bool(record.time)


# -- kept versions ---------------------------------------------------------------------------


def kept_info(info: ObjectInfo) -> ObjectInfo:
    """Return the metadata that keeps a current version, which has an id, under its hidden name."""
    assert info.version is not None, "only versions are kept"
    record = _Record(info.version, info.revision, info.mtime or "", bool(info.deleted))
    name = hidden_name(info.name, info.version)
    return replace(_with_record(info, record), name=name, deleted=False, revision=0)


def current_info(name: str, version: str, kept: ObjectInfo) -> ObjectInfo:
    """Return a version from the metadata under its hidden name, as if it were the current one."""
    record = _record(kept) or _Record(version, kept.revision, kept.mtime or "")
    return replace(
        _with_record(kept, None),
        name=name,
        deleted=record.is_marker,
        revision=record.revision,
        mtime=record.time or kept.mtime,
        version=version,
    )


def published_again(info: ObjectInfo, removed: str = "") -> ObjectInfo:
    """Return the metadata that makes a kept version, as `current_info` returns it, current.

    `removed` is the current version if it is removed, and not kept.
    """
    assert info.version is not None, "only versions are published again"
    return _with_record(info, _Record(info.version, 0, info.mtime or "", removed=removed))


def kept_revision(kept: ObjectInfo) -> int:
    """Return the revision that a version had when it was the current one."""
    record = _record(kept)
    return kept.revision if record is None else record.revision
