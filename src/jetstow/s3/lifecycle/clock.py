"""The clock of the NATS server: ages are counted by it (decision 0028)."""

from __future__ import annotations

import datetime

from nats.js.errors import NotFoundError

from jetstow import JetStreamContext
from jetstow._core.protocol.subjects import stream_name
from jetstow._core.protocol.timestamps import parse_timestamp


async def server_time(js: JetStreamContext, bucket: str) -> datetime.datetime:
    """Return the time of the leader of a bucket.

    Raises: `nats.js.errors.NotFoundError` (there is no bucket), `nats.errors.Error`.
    """
    # nats-py's `stream_info` leaves it out.
    api = f"{js._prefix}.STREAM.INFO.{stream_name(bucket)}"  # noqa: SLF001
    response = await js._api_request(api)  # noqa: SLF001
    seconds = parse_timestamp(response["ts"]) / 10**9
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


async def stored_time(js: JetStreamContext, bucket: str, revision: int) -> datetime.datetime | None:
    """Return when the server stored the metadata of a revision; None if it was replaced since.

    Raises: `nats.errors.Error`.
    """
    try:
        return (await js.get_msg(stream_name(bucket), seq=revision)).time
    except NotFoundError:
        return None
