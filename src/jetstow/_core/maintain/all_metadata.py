"""The metadata of all names, and what is wrong with metadata that cannot be read."""

from __future__ import annotations

from contextlib import aclosing

from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.scan import scan_metadata
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import decode_info
from jetstow.errors import BadObjectMetaError
from jetstow.models import ObjectInfo
from jetstow.types import Finding


async def read_all_metadata(stream: Stream) -> tuple[list[ObjectInfo], list[Finding]]:
    """Return the metadata of every name, delete markers included, and findings."""
    infos: dict[str, ObjectInfo] = {}
    findings: dict[str, Finding] = {}
    async with aclosing(scan_metadata(stream)) as messages:
        async for message in messages:
            subject = message.subject
            # Some clients leave old metadata of a name in the stream: the last one counts.
            infos.pop(subject, None)
            findings.pop(subject, None)
            name = subjects.object_name(stream.subject_bucket, subject)
            if name is None:
                findings[subject] = Finding(None, _invalid_subject_error(stream, subject))
                continue
            try:
                infos[subject] = decode_info(
                    stream.bucket, name, message.data, revision=message.seq, mtime=message.time
                )
            except BadObjectMetaError as error:
                findings[subject] = Finding(name, error)
    return list(infos.values()), list(findings.values())


def _invalid_subject_error(stream: Stream, subject: str) -> BadObjectMetaError:
    return stream.error_context().error(
        BadObjectMetaError,
        f"bucket {stream.bucket!r} has metadata on {subject!r}, which is not the subject of a name",
    )
