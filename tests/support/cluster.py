"""Three real servers as one JetStream cluster."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.support import versions
from tests.support.servers import NatsServer, free_port


class Cluster:
    """Three servers with JetStream on loopback, for streams with replicas."""

    def __init__(self, *node_versions: str) -> None:
        """Create the nodes: of the latest version, or of one version each."""
        node_versions = node_versions or (versions.LATEST,) * 3
        routes = [free_port() for _ in node_versions]
        addresses = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        self.nodes = [
            NatsServer(
                version,
                name=f"node-{number}",
                config=(
                    f'cluster {{ name: test, listen: "127.0.0.1:{port}", routes: [{addresses}] }}'
                ),
            )
            for number, (version, port) in enumerate(zip(node_versions, routes, strict=True))
        ]

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def start(self) -> Self:
        """Start all nodes and wait until each one is connected to the leader."""
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            node.wait_ready()
        return self

    def leader(self) -> NatsServer:
        """Return the leader of the cluster's metadata."""
        name = self.nodes[0].monitor("jsz")["meta_cluster"]["leader"]
        return next(node for node in self.nodes if node.name == name)

    def close(self) -> None:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.callback(node.close)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
