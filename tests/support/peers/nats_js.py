"""nats.js (npm `@nats-io/obj`) in a node process."""

from __future__ import annotations

import shutil

from tests.support.peers import NO_META, PeerMeta
from tests.support.peers.process import INTEROP, MissingPeerError, ProcessPeer, put_fields

FOLDER = INTEROP / "js"


class NatsJs(ProcessPeer):
    name = "nats.js"
    has_metadata = True
    has_links = True
    # It encodes names as Latin-1 and rejects other characters.
    encodes_names_as_utf8 = False
    can_rename = True

    @staticmethod
    def command() -> list[str]:
        node = shutil.which("node")
        if node is None or not (FOLDER / "node_modules" / "@nats-io" / "obj").exists():
            raise MissingPeerError("the JavaScript client is not installed: run `make peers`")
        return [node, str(FOLDER / "peer.mjs")]

    async def create(self, bucket: str, *, batched: bool = False) -> None:
        await self.request("create", bucket=bucket, batched=batched)

    async def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        meta: PeerMeta = NO_META,
        *,
        batched: bool = False,
    ) -> None:
        """Put an object; `batched` uses fast ingest, an undocumented option of the client."""
        await self.request(
            "put", bucket=bucket, name=name, batched=batched, **put_fields(data, meta)
        )
