"""Responses to requests that take long: white space, so that the client does not give up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final

from jetstow.s3.call import Call
from jetstow.s3.errors import to_s3_error, unexpected
from jetstow.s3.result import Result
from jetstow.s3.xml.writing import DECLARATION, error_document

# How long a response is held back, so that an error has its own status, and the time between two
# spaces, in seconds. SDKs give up after 50 s or 60 s, proxies after 30 s.
RESPONSE_TIMEOUT: Final = 3.0
INTERVAL: Final = 5.0

_log = logging.getLogger("jetstow.s3")


async def keep_alive(call: Call, work: Coroutine[Any, Any, str]) -> Result:
    """Return the document that a coroutine returns, preceded by white space if it takes long.

    Then the status is 200 even if it fails: the document is that of the error, as in S3. The
    coroutine runs to its end if the client does not wait for it.

    Raises: what the coroutine raises, if that is soon.
    """
    task = asyncio.create_task(work)
    call.services.running.add(task)
    task.add_done_callback(call.services.running.discard)
    done, _ = await asyncio.wait([task], timeout=RESPONSE_TIMEOUT)
    if done:
        return Result(xml=task.result())
    return Result(headers={"content-type": "application/xml"}, stream=_white_space(call, task))


async def _white_space(call: Call, task: asyncio.Task[str]) -> AsyncGenerator[bytes, None]:
    yield DECLARATION.encode()
    while not task.done():
        yield b" "
        await asyncio.wait([task], timeout=INTERVAL)
    yield _document(call, task).removeprefix(DECLARATION).encode("utf-8", "replace")


def _document(call: Call, task: asyncio.Task[str]) -> str:
    try:
        return task.result()
    except Exception as error:  # noqa: BLE001 - every error becomes a document
        s3_error = to_s3_error(error)
        _log.error("%s %s", call.request.id, error, exc_info=unexpected(error))
        return error_document(
            s3_error.code, s3_error.message, call.request.resource, call.request.id,
            **s3_error.fields,
        )  # fmt: skip
