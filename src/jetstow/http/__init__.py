"""Objects over HTTP: ASGI responses with ranges, entity tags and preconditions (RFC 9110).

`Files` serves a bucket. `ObjectResponse` is one response, for a program that decides itself which
object to send. Both are plain ASGI, for Starlette, FastAPI and other frameworks.
"""

from jetstow.http.content_headers import content_headers
from jetstow.http.etags import entity_tag
from jetstow.http.files import Files
from jetstow.http.preconditions import Selection, condition_headers, select
from jetstow.http.response import ObjectResponse

__all__ = [
    "Files",
    "ObjectResponse",
    "Selection",
    "condition_headers",
    "content_headers",
    "entity_tag",
    "select",
]
