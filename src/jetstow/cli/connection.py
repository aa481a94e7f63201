"""The common options, and the connection that they describe: server, credentials, TLS files."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jetstow._credentials import (
    has_jwt_and_seed,
    load_client_certificate,
    override_options,
    read_credentials,
    read_seed,
)
from jetstow.cli.errors import UsageError

if TYPE_CHECKING:
    import jetstow
    from jetstow._nats_context import Context

EMBEDDED: Final = "embedded"

_log = logging.getLogger("jetstow.cli")


@dataclass(frozen=True)
class Settings:
    """The common options. `timeout` is in seconds."""

    server: str | None = field(default=None, repr=False)  # it may contain a password
    context: str | None = None
    creds: Path | None = None
    nkey: Path | None = None
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    js_domain: str | None = None
    timeout: float | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    key: bytes | None = field(default=None, repr=False)
    allow_plain: bool = False
    original_bucket: str | None = None

    def overridden(self, **options: Any) -> Settings:
        """Return the settings with the options that have a value."""
        return replace(self, **{name: value for name, value in options.items() if value})

    def for_server(self, address: str) -> Settings:
        """Return the settings for another server: a URL, or the name of a nats context.

        A URL contains a colon, the name of a context does not. The options that belong to the
        first server are left out.
        """
        is_url = ":" in address
        return Settings(
            server=address if is_url else None,
            context=None if is_url else address,
            timeout=self.timeout,
            json=self.json,
            quiet=self.quiet,
            verbose=self.verbose,
        )

    @property
    def server_source(self) -> str:
        """What names the server, in the order of `connect`: an option, a variable, a context."""
        if self.server:
            return "--server"
        if self.context:
            return f"nats context {self.context}"
        if os.environ.get("NATS_URL"):
            return "NATS_URL"
        from jetstow import _nats_context

        if context := _nats_context.load_selected():
            return f"nats context {context.name}"
        return EMBEDDED

    @property
    def js_options(self) -> dict[str, Any]:
        """The options of the JetStream context."""
        options: dict[str, Any] = dict(self._context.js_options) if self._context else {}
        if self.js_domain:
            options = {"domain": self.js_domain}
        if self.timeout:
            options["timeout"] = self.timeout
        return options

    @property
    def connect_options(self) -> dict[str, Any]:
        """The options of `jetstow.connect`, `servers` included.

        Raises: `UsageError` (an option needs another one, or a file is not valid),
        `ContextError`, `OSError`.
        """
        options: dict[str, Any] = dict(self._context.options) if self._context else {}
        if self.server:
            options["servers"] = self.server.split(",")
        options = override_options(options, self._credential_options())
        if tls := self._tls_context():
            options["tls"] = tls
        if self.timeout:
            options["connect_timeout"] = self.timeout
        return options

    @cached_property
    def _context(self) -> Context | None:
        if not self.context:
            return None
        from jetstow import _nats_context

        return _nats_context.load(self.context)

    def _credential_options(self) -> dict[str, Any]:
        if self.creds and self.nkey:
            raise UsageError("--creds and --nkey are two kinds of credentials: use one of them")
        if self.creds:
            if not has_jwt_and_seed(read_credentials(self.creds)):
                raise UsageError(
                    f"--creds {str(self.creds)!r} is a file without the JWT and the NKey seed of a "
                    "user"
                )
            return {"user_credentials": str(self.creds)}
        if self.nkey:
            if (seed := read_seed(self.nkey)) is None:
                raise UsageError(f"--nkey {str(self.nkey)!r} is a file without an NKey seed")
            return {"nkeys_seed_str": seed}
        return {}

    def _tls_context(self) -> ssl.SSLContext | None:
        if bool(self.tls_cert) != bool(self.tls_key):
            present, missing = (
                ("--tlscert", "--tlskey") if self.tls_cert else ("--tlskey", "--tlscert")
            )
            raise UsageError(f"{present} needs {missing}")
        if not (self.tls_ca or self.tls_cert):
            return None
        try:
            context = ssl.create_default_context(cafile=self.tls_ca)
        except (OSError, ValueError) as error:
            message = f"--tlsca {str(self.tls_ca)!r} is a file without certificates"
            raise UsageError(message) from error
        if self.tls_cert and self.tls_key:
            try:
                load_client_certificate(context, self.tls_cert, self.tls_key)
            except (OSError, ValueError) as error:
                message = f"--tlscert {str(self.tls_cert)!r} and --tlskey cannot be loaded: {error}"
                raise UsageError(message) from error
        return context


async def connect(
    settings: Settings, *, on_error: Callable[[Exception], None] | None = None, **options: Any
) -> jetstow.Client:
    """Connect as `jetstow.connect`. The errors of nats-py are debug messages."""

    async def error_cb(error: Exception) -> None:
        _log.debug("%s", error)
        if on_error is not None:
            on_error(error)

    import jetstow

    options = settings.connect_options | options
    servers = options.pop("servers", None)
    return await jetstow.connect(servers, name="jetstow", error_cb=error_cb, **options)
