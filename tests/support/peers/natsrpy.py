"""natsrpy, the Rust client (async-nats) from Python, in a Python process.

It is built with `panic = "abort"`: a panic of the client ends the process. Its defects that panic
are described in `tests/interop/natsrpy/peer.py`.
"""

from __future__ import annotations

import sys

from tests.support.peers.process import ProcessPeer


class NatsRpy(ProcessPeer):
    name = "natsrpy"
    has_metadata = True
    has_links = True
    encodes_names_as_utf8 = True
    can_rename = True

    @staticmethod
    def command() -> list[str]:
        return [sys.executable, "-X", "faulthandler", "-m", "tests.interop.natsrpy.peer"]
