"""edit: change the metadata of an object, or the options of a bucket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jetstow.cli import completion, parsers
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import OBJECTS
from jetstow.cli.json_data import bucket_data, object_data
from jetstow.cli.parsers import Address
from jetstow.cli.render import Result, printable
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import BucketStatus, ObjectInfo, ObjectMeta


async def edit(
    session: Session,
    address: Annotated[
        Address,
        typer.Argument(
            metavar="BUCKET[/NAME]", parser=parsers.address, autocompletion=completion.objects
        ),
    ],
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="New description; '' removes it.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Set this metadata entry.")
    ] = None,
    remove_metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Remove this metadata entry.")
    ] = None,
    content_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Objects: new content type; '' removes it."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Objects: add this tag.")
    ] = None,
    remove_tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Objects: remove this tag.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Objects: set this header."),
    ] = None,
    remove_header: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Objects: remove this header.")
    ] = None,
    ttl: Annotated[
        float | None,
        typer.Option(
            metavar="TIME", parser=parsers.duration,
            help="Buckets: delete each object after this time: 12h, 30d; 0 for never.",
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size,
            help="Buckets: maximum size: 500M, 10G; 0 for no limit.",
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=parsers.whole_number,
            help="Buckets: copies of the data in a cluster.",
        ),
    ] = None,
    versioned: Annotated[
        bool | None,
        typer.Option(
            "--versioned/--suspend-versions",
            help="Buckets: keep replaced and deleted objects as versions, or stop that.",
        ),
    ] = None,
    restore_version: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Objects: make this version the current one first."),
    ] = None,
) -> Result:  # fmt: skip
    """Change the metadata of an object, or the options of a bucket.

    Only what the options name is changed, all else is kept. The bytes of an object stay in place.
    The options for entries, tags and headers may be repeated.
    """
    shared = {"description": description, "metadata": metadata, "remove_metadata": remove_metadata}
    of_object = {
        "content_type": content_type, "tag": tag, "remove_tag": remove_tag, "header": header,
        "remove_header": remove_header, "restore_version": restore_version,
    }  # fmt: skip
    of_bucket = {
        "ttl": ttl, "max_bytes": max_bytes, "replicas": replicas, "versioned": versioned
    }  # fmt: skip
    kind, own, other = (
        ("an object", of_object, of_bucket) if address.name else ("a bucket", of_bucket, of_object)
    )
    if names := [name for name, value in other.items() if value is not None]:
        raise UsageError(f"{str(address)!r} names {kind}: it has no {_option(names[0])}")
    if all(value is None for value in (shared | own).values()):
        raise UsageError(f"nothing to change: name an option, such as {_option('description')}")
    entries = _Entries("--metadata", metadata, remove_metadata)
    if not address.name:
        return await _edit_bucket(session, address.bucket, description, entries, of_bucket)
    headers = _Entries("--header", header, remove_header)

    from jetstow import ObjectHeaders
    from jetstow._transfer.change_meta import change_meta

    def change(info: ObjectInfo) -> ObjectMeta:
        meta = info.meta
        if description is not None:
            meta.description = description or None
        if content_type is not None:
            meta.content_type = content_type or None
        meta.tags = _change_list(meta.tags or [], tag or (), remove_tag or ()) or None
        meta.metadata = entries.change_values(meta.metadata or {}) or None
        meta.headers = headers.change_lists(ObjectHeaders(meta.headers or {}).to_lists()) or None
        return meta

    store = await session.store(address.bucket)
    changed: ObjectInfo | None = None
    if restore_version is not None:
        changed = await store.restore_version(address.name, restore_version)
        del of_object["restore_version"]
    if changed is None or any(value is not None for value in (shared | of_object).values()):
        changed = await change_meta(store, address.name, change)
    return Result(object_data(changed), notices=[f"changed {printable(str(address))}"])


async def _edit_bucket(
    session: Session,
    bucket: str,
    description: str | None,
    entries: _Entries,
    options: dict[str, Any],
) -> Result:
    status = await (await session.store(bucket)).status()
    if entries.has_changes:
        options["metadata"] = entries.change_values(status.metadata)
    js = await session.js()
    store = await js.update_object_store(bucket, description=description, **options)
    changed: BucketStatus = await store.status()
    return Result(bucket_data(changed), notices=[f"changed bucket {bucket!r}"])


@dataclass(frozen=True)
class _Entries:
    """KEY=VALUE options, and the options that remove keys."""

    option: str
    pairs: list[str] | None
    removed: list[str] | None

    @property
    def has_changes(self) -> bool:
        return bool(self.pairs or self.removed)

    def change_values(self, existing: dict[str, str]) -> dict[str, str]:
        """Return the entries after the change."""
        added = parsers.key_values(self.option, self.pairs) or {}
        return self._without_removed(existing) | added

    def change_lists(self, existing: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return entries with several values after the change; the case of a key is ignored."""
        added = parsers.key_value_lists(self.option, self.pairs) or {}
        replaced = {key.lower() for key in (*added, *(self.removed or ()))}
        return {
            key: values for key, values in existing.items() if key.lower() not in replaced
        } | added

    def _without_removed(self, existing: dict[str, str]) -> dict[str, str]:
        return {key: value for key, value in existing.items() if key not in (self.removed or ())}


def _change_list(existing: list[str], added: Iterable[str], removed: Iterable[str]) -> list[str]:
    kept = [item for item in existing if item not in removed]
    return [*kept, *(item for item in dict.fromkeys(added) if item not in kept)]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=OBJECTS, key_file=True)(edit)
