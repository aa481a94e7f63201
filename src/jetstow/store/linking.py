"""The verbs that create links."""

from __future__ import annotations

from nats.js import api
from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.telemetry import instrumented
from jetstow._core.protocol.subjects import check_bucket_name
from jetstow._core.read.name_state import get_info
from jetstow._core.write import links
from jetstow.models import ObjectInfo, ObjectLink
from jetstow.store.base import BucketBase


class Links(BucketBase):
    """The verbs of an object store that create links."""

    @instrumented
    async def add_link(self, name: str, target: api.ObjectInfo | str) -> ObjectInfo:
        """Create a link to an object: the name of one in this bucket, or the info of any (ADR-20).

        Raises: `LinkError` (to a link, a deleted object, or itself), `ObjectAlreadyExists` (the
        name has an object with bytes), `ObjectNotFoundError` (there is no such target).
        """
        context = self._context_of(name)
        if isinstance(target, str):
            target = await get_info(self._bucket, self._context_of(target))
        link = links.link_to(context, target)
        return await uncancelled(links.add_link(self._bucket, context, link))

    @instrumented
    async def add_bucket_link(self, name: str, bucket: _NatsObjectStore | str) -> ObjectInfo:
        """Create a link to a whole bucket (ADR-20).

        Raises: `ObjectAlreadyExists` (the name has an object with bytes), `InvalidBucketNameError`.
        """
        context = self._context_of(name)
        linked = bucket if isinstance(bucket, str) else bucket._name
        link = ObjectLink(bucket=check_bucket_name(linked))
        return await uncancelled(links.add_link(self._bucket, context, link))
