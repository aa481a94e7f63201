"""The routes of the JSON API, below `/_console/api`."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from jetstow.console import session_api

ROUTES: Final[list[Route]] = [
    *session_api.ROUTES,
]
