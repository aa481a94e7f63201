"""The S3 gateway: an ASGI application that serves buckets of a NATS object store over S3's API.

`jetstow serve` runs it. Needs `jetstow[s3]`.
"""

from __future__ import annotations

from jetstow._upload_records import keep_uploads
from jetstow.s3.app import Gateway
from jetstow.s3.auth.keys import Key, Keys

__all__ = ["Gateway", "Key", "Keys", "keep_uploads"]
