"""The contents of an object: its beginning as text, or its first rows as a table."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jetstow.console.access import open_call
from jetstow.console.context import context_of
from jetstow.console.parquet import ParquetReaders
from jetstow.console.previews import kind_of
from jetstow.console.queries import json_response, parse_name, parse_number
from jetstow.console.reading import open_readable
from jetstow.console.tables import MAX_CSV, parse_csv
from jetstow.console.text import DEFAULT_LIMIT, MAX_LIMIT, read_text
from jetstow.s3.call import Call


async def text(request: Request) -> Response:
    """Return the beginning of an object as text, whatever it has."""
    limit = parse_number(request, "limit", DEFAULT_LIMIT, maximum=MAX_LIMIT)
    async with await open_readable(await _call(request)) as reader:
        return json_response(await read_text(reader, limit))


async def table(request: Request) -> Response:
    """Return the first rows of an object as a table: of Parquet if it is that, and of CSV else."""
    async with await open_readable(await _call(request)) as reader:
        if kind_of(reader.info) == "parquet":
            readers = context_of(request).part(ParquetReaders)
            return json_response(await readers.read(reader))
        size = reader.info.size or 0
        data = await reader.read_at(0, min(MAX_CSV, size))
        parsed = await asyncio.to_thread(parse_csv, data, is_all=len(data) == size)
        return json_response(parsed)


async def _call(request: Request) -> Call:
    name, version = parse_name(request), request.query_params.get("version")
    bucket = request.path_params["bucket"]
    return await open_call(request, bucket, "GetObject", key=name, version=version)


ROUTES: Final = [
    Route("/buckets/{bucket}/text", text, methods=["GET"]),
    Route("/buckets/{bucket}/table", table, methods=["GET"]),
]
