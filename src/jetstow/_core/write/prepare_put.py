"""Check the options of a put before it starts."""

from __future__ import annotations

from jetstow._core.bucket.stream import Stream
from jetstow._core.bucket.write_check import check_writable
from jetstow._core.protocol import subjects, ttl
from jetstow._core.read.name_state import read_state
from jetstow._core.write.chunk_publisher import MSG_ID_SIZE
from jetstow._core.write.chunk_size import select_chunk_size
from jetstow._core.write.put import Put
from jetstow._core.write.put_expiry import put_expiry
from jetstow._core.write.put_options import PutOptions, check_put_meta
from jetstow._core.write.revision_check import check_revision
from jetstow.models import ObjectMeta, ObjectMetaOptions


async def prepare_put(stream: Stream, name: str | None, options: PutOptions) -> Put:
    """Check the options of a put, and the revision if one is expected.

    Without an expected revision, no state of the name can stop the put: the commit finds it out.

    Raises: `InvalidObjectNameError`, `InvalidOptionError`, `LinkError`, `ObjectAlreadyExists`,
    `RevisionMismatchError`.
    """
    name = name or getattr(options.meta, "name", None) or ""
    context = stream.error_context(subjects.check_object_name(stream.bucket, name))
    await check_writable(stream, context)
    meta = (
        ObjectMeta(name) if options.meta is None else check_put_meta(stream, context, options.meta)
    )
    expiry = None
    if options.ttl is not None or options.expires_at is not None or meta.headers:
        expiry = await put_expiry(stream, context, meta, options)
    header_size = MSG_ID_SIZE + (0 if expiry is None else ttl.TTL_HEADER_SIZE)
    requested = None if meta.options is None else meta.options.max_chunk_size
    chunk_size = select_chunk_size(stream, context, requested, header_size)
    meta.options = ObjectMetaOptions(max_chunk_size=chunk_size)
    state = None
    if options.expected_revision is not None:
        state = await read_state(stream, context)
        check_revision(context, state, options.expected_revision)
    return Put(stream, context, meta, chunk_size, options, state, expiry)
