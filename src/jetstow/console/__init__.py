"""The web console of the S3 gateway: an ASGI application in front of it.

`jetstow serve` runs it below `/_console/`. Needs `jetstow[console]`.
"""

from __future__ import annotations

from jetstow.console.app import Console
from jetstow.console.preview_app import PreviewApp

__all__ = ["Console", "PreviewApp"]
