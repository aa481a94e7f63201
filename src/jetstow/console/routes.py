"""The routes of the JSON API, below `/_console/api`."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from jetstow.console import (
    buckets_api,
    contents_api,
    deletes,
    edit_api,
    feed,
    health,
    history,
    jobs_api,
    keys_api,
    object_api,
    rows_api,
    session_api,
    undelete,
    zip_api,
)

ROUTES: Final[list[Route]] = [
    *buckets_api.ROUTES,
    *contents_api.ROUTES,
    *deletes.ROUTES,
    *edit_api.ROUTES,
    *feed.ROUTES,
    *health.ROUTES,
    *history.ROUTES,
    *jobs_api.ROUTES,
    *keys_api.ROUTES,
    *object_api.ROUTES,
    *rows_api.ROUTES,
    *session_api.ROUTES,
    *undelete.ROUTES,
    *zip_api.ROUTES,
]
