"""nats.go 1.22 of Debian 12, in the program that `make peers` builds from `tests/interop/go`.

It has no `metadata` and drops that of others, and its `UpdateMeta` renames.
"""

from __future__ import annotations

from tests.support.peers.process import ROOT, MissingPeerError, ProcessPeer

PROGRAM = ROOT / ".cache" / "peers" / "nats-go"


class NatsGo(ProcessPeer):
    name = "nats.go"
    has_metadata = False
    has_links = True
    encodes_names_as_utf8 = True
    can_rename = True

    @staticmethod
    def command() -> list[str]:
        if not PROGRAM.exists():
            raise MissingPeerError("the Go client is not built: run `make peers`")
        return [str(PROGRAM)]
