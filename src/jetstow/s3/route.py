"""A line of the route table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from jetstow.s3.access import Access
from jetstow.s3.call import Call
from jetstow.s3.request import Request
from jetstow.s3.result import Result

Handler = Callable[[Call], Awaitable[Result]]

SERVICE: Final = "service"
BUCKET: Final = "bucket"
OBJECT: Final = "object"


@dataclass(frozen=True, slots=True)
class Route:
    """An operation, and the requests that it is for.

    `query` is the parameter that a request has, and `header` the header; both are optional.
    `accepts` are parameters of `SUBRESOURCES` that the operation reads itself. `opens_bucket`: the
    bucket must exist, and the caller must be allowed to use it.
    """

    operation: str
    method: str
    level: str
    handler: Handler
    access: Access
    query: str = ""
    header: str = ""
    opens_bucket: bool = True
    accepts: tuple[str, ...] = ()

    def matches(self, request: Request) -> bool:
        """Return whether the operation is for a request of its method and level."""
        return (not self.query or self.query in request.query) and (
            not self.header or self.header in request.headers
        )
