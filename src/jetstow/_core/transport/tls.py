"""A nats-py client that sends nothing in clear if TLS was requested.

nats-py starts TLS only if the server's INFO has `tls_required`. Without it, nats-py sends the
credentials in clear, whatever the user requested, on the first connection and on each reconnect.
INFO is not authenticated: any program that listens on the server's port can send one.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

import nats.errors
from nats.aio.transport import TcpTransport, WebSocketTransport

from jetstow._core.transport.handshake import HandshakeClient

if TYPE_CHECKING:
    from nats.aio.client import Srv

_TLS_SCHEMES: Final = frozenset({"tls", "wss"})
_TLS_OPTIONS: Final = ("tls", "tls_hostname", "tls_handshake_first")


class TLSNotOfferedError(nats.errors.SecureConnWantedError):
    """TLS was requested, and the server does not offer it. No credentials were sent."""

    def __init__(self, *, handshake_first: bool = False) -> None:
        super().__init__()
        self._handshake_first = handshake_first

    def __str__(self) -> str:
        problem, setting = "does not offer it", "a `tls` block"
        if self._handshake_first:
            problem, setting = "does not start with it", "`handshake_first` in its `tls` block"
        return (
            f"TLS was requested, but the server {problem}, so no credentials were sent: check the "
            f"address and the port, and that the server's configuration has {setting}"
        )


class TLSClient(HandshakeClient):
    """A nats-py client that requires TLS on every connection if one option or URL requests it.

    It also requires TLS on reconnections if a server has required it before, as nats.go does. If a
    server offers TLS without requiring it (`allow_non_tls`), the client starts TLS.
    """

    # Whether TLS was used, or there was a `tls://` URL. One counts for all servers: the credentials
    # are the same, and servers that a server announces have the scheme `nats`.
    _has_tls = False

    @property
    def _requires_tls(self) -> bool:
        return self._has_tls or any(self.options.get(name) for name in _TLS_OPTIONS)

    async def _connect_to_server(self, s: Srv) -> None:
        # nats-py removes servers from the pool that do not respond.
        if any(server.uri.scheme in _TLS_SCHEMES for server in self._server_pool):
            self._has_tls = True
        # The HTTP request of a websocket may have credentials in its headers.
        if s.uri.scheme == "ws" and self._requires_tls:
            raise TLSNotOfferedError
        await super()._connect_to_server(s)

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        await super()._process_info(info, initial_connection)
        if initial_connection and self._requires_tls and info.get("tls_available"):
            self._server_info["tls_required"] = True  # nats-py then starts TLS

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except (TimeoutError, ssl.SSLError) as error:
            if self.options["tls_handshake_first"] and self._has_received_plaintext(error):
                raise TLSNotOfferedError(handshake_first=True) from error
            raise

    def _has_received_plaintext(self, error: Exception) -> bool:
        """Return whether the server sent INFO although it had to wait for the TLS handshake."""
        if isinstance(error, ssl.SSLError):
            return error.reason == "WRONG_VERSION_NUMBER"  # INFO was taken for a TLS record
        # INFO arrived before the handshake, which then waits for a reply.
        reader = getattr(self._transport, "_bare_io_reader", None)
        return bytes(getattr(reader, "_buffer", b"")).startswith(b"INFO")

    def _connect_command(self) -> bytes:
        # nats-py calls this after INFO and the TLS handshake, directly before it sends CONNECT.
        if self._is_tls_active:
            self._has_tls = True
        elif self._requires_tls:
            raise TLSNotOfferedError
        return super()._connect_command()

    @property
    def _is_tls_active(self) -> bool:
        transport = self._transport
        if isinstance(transport, TcpTransport) and transport._io_writer is not None:
            return transport._io_writer.get_extra_info("ssl_object") is not None
        return isinstance(transport, WebSocketTransport) and bool(transport._using_tls)
