"""The options of the file system: the `storage_options` of pandas and others."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final

from jetstow import _nats_context
from jetstow._core.protocol.option_names import check_option_names
from jetstow._credentials import load_client_certificate, override_options
from jetstow.errors import InvalidOptionError
from jetstow.types import ConnectOptions, JetStreamOptions

# The arguments of the file system that are not in `options`, for the hint of an unknown option.
_ARGUMENTS: Final = frozenset(
    {
        "servers",
        "key",
        "allow_plain",
        "use_listings_cache",
        "asynchronous",
        "loop",
        "batch_size",
    }
)

# What other options take as objects, as names: processes and configuration files can pass these.
_OWN: Final = frozenset({"context", "tls_ca", "tls_cert", "tls_key"})


class Options:
    """Options for `jetstow.connect` and `Client.jetstream`, and those that name files."""

    def __init__(self, servers: str | list[str] | None, options: dict[str, Any]) -> None:
        """Sort the options.

        Raises: `InvalidOptionError` (the option does not exist, `tls` is given twice, or a
        certificate comes without its key).
        """
        known = ConnectOptions.__optional_keys__ | JetStreamOptions.__optional_keys__ | _OWN
        check_option_names("the jetstow file system", options, known | _ARGUMENTS)
        self.servers = servers
        self.context: str | None = options.get("context")
        self._tls = {
            key: value
            for key in ("tls_ca", "tls_cert", "tls_key")
            if (value := options.get(key)) is not None
        }
        self._connect = {
            key: value for key, value in options.items() if key in ConnectOptions.__optional_keys__
        }
        self._jetstream = {
            key: value
            for key, value in options.items()
            if key in JetStreamOptions.__optional_keys__
        }
        self._check_tls()

    def load(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the options of `jetstow.connect`, `servers` included, and of `jetstream`.

        Raises: `ContextError`, `InvalidOptionError` (a TLS file cannot be loaded), `OSError`
        (a TLS file cannot be read).
        """
        connect, jetstream = dict(self._connect), dict(self._jetstream)
        servers: dict[str, Any] = {"servers": self.servers}
        if self.context is not None:
            context = _nats_context.load(self.context)
            defaults = dict(context.options)
            if self.servers is None:
                servers["servers"] = defaults["servers"]
            connect = override_options(defaults, connect)
            if not {"domain", "prefix"} & jetstream.keys():
                jetstream |= context.js_options
        if self._tls:
            connect["tls"] = self._tls_context()
        return connect | servers, jetstream

    def _check_tls(self) -> None:
        if self._tls and self._connect.get("tls") is not None:
            raise InvalidOptionError("`tls` is an SSLContext: it replaces the option `tls_ca`")
        if ("tls_cert" in self._tls) != ("tls_key" in self._tls):
            raise InvalidOptionError("`tls_cert` and `tls_key` are needed together")

    def _tls_context(self) -> ssl.SSLContext:
        for path in self._tls.values():
            Path(path).read_bytes()  # an OSError of `ssl` does not name the file
        try:
            context = ssl.create_default_context(cafile=self._tls.get("tls_ca"))
            if "tls_cert" in self._tls:
                load_client_certificate(context, self._tls["tls_cert"], self._tls["tls_key"])
        except (OSError, ValueError) as error:
            files = ", ".join(f"{key}={str(path)!r}" for key, path in self._tls.items())
            raise InvalidOptionError(f"cannot load the TLS files {files}: {error}") from error
        return context
