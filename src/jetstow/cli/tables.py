"""Objects and buckets as text: listings, and the details of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from jetstow.cli.json_data import bucket_data, object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, details, format_duration, format_size, format_time, table

if TYPE_CHECKING:
    from jetstow import BucketStatus, ObjectInfo

# -- objects -----------------------------------------------------------------------------


@dataclass
class Folder:
    """The objects whose names start with `name`, which ends in a slash. `size` is in bytes."""

    bucket: str
    name: str
    objects: int = 0
    size: int = 0

    def add(self, info: ObjectInfo) -> None:
        """Count an object."""
        self.objects += 1
        self.size += info.size or 0


Entry: TypeAlias = "ObjectInfo | Folder"


def entry_table(entries: Iterable[Entry]) -> Result:
    """Return objects and folders with size and time, in the order given."""
    entries = list(entries)
    rows = [(_entry_size(entry), _entry_time(entry), _marked_label(entry)) for entry in entries]
    return table((">SIZE", "MODIFIED", "NAME"), rows, [entry_data(entry) for entry in entries])


def version_table(infos: Iterable[ObjectInfo]) -> Result:
    """Return versions with their ids, in the order given."""
    infos = list(infos)
    rows = [
        (object_size(info), format_time(info.modified), info.version or "-", _marked_label(info))
        for info in infos
    ]
    columns = (">SIZE", "MODIFIED", "VERSION", "NAME")
    return table(columns, rows, [object_data(info) for info in infos])


def entry_data(entry: Entry) -> dict[str, Any]:
    """Return the fields of an object, or those of a folder."""
    if isinstance(entry, Folder):
        return {"folder": True, **asdict(entry)}
    return {"folder": False, **object_data(entry)}


def entry_label(entry: Entry) -> str:
    """Return the name, with the target of a link and a mark if it is deleted."""
    return entry.name if isinstance(entry, Folder) else object_label(entry)


def _marked_label(entry: Entry) -> str:
    is_encrypted = not isinstance(entry, Folder) and entry.encrypted
    return f"{entry_label(entry)} (encrypted)" if is_encrypted else entry_label(entry)


def _entry_size(entry: Entry) -> str:
    return "-" if isinstance(entry, Folder) else object_size(entry)


def _entry_time(entry: Entry) -> str:
    return "-" if isinstance(entry, Folder) else format_time(entry.modified)


def object_size(info: ObjectInfo) -> str:
    """Return the formatted size; a dash for links and deleted objects."""
    return "-" if info.deleted or info.link else format_size(info.size or 0)


def object_label(info: ObjectInfo) -> str:
    """Return the name, with the target of a link and a mark if it is deleted."""
    if info.deleted:
        return f"{info.name} (deleted)"
    return f"{info.name} -> {_link_target(info)}" if info.link else info.name


def _link_target(info: ObjectInfo) -> str:
    return "" if info.link is None else str(Address(info.link.bucket, info.link.name or ""))


def object_details(info: ObjectInfo) -> Result:
    """Return all fields of an object that have a value."""
    from jetstow import ObjectHeaders

    chunk_size = info.options.max_chunk_size if info.options else None
    chunks = f"{info.chunks or 0}" + (f" of up to {format_size(chunk_size)}" if chunk_size else "")
    pairs = [
        ("object", str(Address(info.bucket, info.name))),
        ("description", info.description or ""),
        ("link to", _link_target(info)),
        ("size", f"{format_size(info.size or 0)} ({info.size or 0} bytes)"),
        ("modified", format_time(info.modified)),
        ("expires", format_time(info.expires) if info.expires else ""),
        ("content type", "" if info.link else info.content_type or ""),
        ("tags", ", ".join(info.tags)),
        ("encrypted", "yes" if info.encrypted else ""),
        ("revision", str(info.revision)),
        ("version", info.version or ""),
        ("digest", info.digest or ""),
        ("chunks", chunks),
        *(
            ("header", f"{key}: {value}")
            for key, values in ObjectHeaders(info.meta.headers or {}).to_lists().items()
            for value in values
        ),
        *(("metadata", f"{key} = {value}") for key, value in (info.metadata or {}).items()),
    ]
    meaningless = {"size", "digest", "chunks"} if info.link else set()
    return details([pair for pair in pairs if pair[0] not in meaningless], object_data(info))


# -- buckets -----------------------------------------------------------------------------


def bucket_table(statuses: Iterable[BucketStatus]) -> Result:
    """Return buckets with size, creation time and description, sorted by name."""
    statuses = sorted(statuses, key=lambda status: status.bucket)
    rows = [
        (
            format_size(status.size),
            format_time(status.created),
            status.bucket + (" (sealed)" if status.sealed else ""),
            status.description or "",
        )
        for status in statuses
    ]
    columns = (">SIZE", "CREATED", "BUCKET", "DESCRIPTION")
    return table(columns, rows, [bucket_data(status) for status in statuses])


def bucket_details(status: BucketStatus) -> Result:
    """Return all fields of a bucket that have a value."""
    data = bucket_data(status)
    limit = f" of at most {format_size(status.max_bytes)}" if status.max_bytes >= 0 else ""
    ttl = format_duration(status.ttl)
    pairs = [
        ("bucket", status.bucket),
        ("description", status.description or ""),
        ("size", f"{format_size(status.size)}{limit} ({status.size} bytes)"),
        ("sealed", "yes: read-only, forever" if status.sealed else "no"),
        ("created", format_time(status.created)),
        ("expiry", f"{ttl} after an object was stored" if ttl else "never"),
        ("storage", data["storage"] + (", compressed" if status.compressed else "")),
        ("replicas", str(status.replicas)),
        ("versioning", status.versioning or ""),
        *(("metadata", f"{key} = {value}") for key, value in status.metadata.items()),
    ]
    return details(pairs, data)
