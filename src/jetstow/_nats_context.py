"""Load a context of the `nats` command line (ADR-21) as options for nats-py.

    ~/.config/nats/context.txt            the name of the selected context
    ~/.config/nats/context/<name>.json    its servers, credentials and TLS files

`XDG_CONFIG_HOME` replaces `~/.config`. `NATS_CONTEXT` names a context, instead of the selected
one. A context that uses a feature that nats-py lacks raises an error.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from nats.aio.client import RawCredentials

from jetstow._credentials import (
    has_jwt_and_seed,
    load_client_certificate,
    read_credentials,
    read_seed,
    starts_with_seed,
)
from jetstow.errors import ContextError

T = TypeVar("T")

DEFAULT_URL = "nats://127.0.0.1:4222"

STRING_FIELDS = (
    "url", "user", "password", "token", "creds", "nkey", "user_jwt", "user_seed", "cert", "key",
    "ca", "inbox_prefix", "jetstream_domain", "jetstream_api_prefix", *(
        UNSUPPORTED_FIELDS := ("nsc", "socks_proxy", "windows_cert_store")
    ),
)  # fmt: skip
# The `nats` command line can also take a secret from an environment variable or a program.
SECRET_REFERENCE = re.compile(r"(file|env|op|nsc|data):", re.IGNORECASE)


@dataclass(frozen=True)
class Context:
    """A loaded context. Pass `options` to `nats.connect` and `js_options` to `jetstream`.

    If both `js_domain` and `js_prefix` are set, the domain takes precedence.
    """

    name: str
    path: Path
    options: dict[str, Any] = field(repr=False)  # passwords, tokens, seeds
    js_domain: str | None = None
    js_prefix: str | None = None

    @property
    def js_options(self) -> dict[str, str]:
        """The JetStream options that the context sets: `domain`, `prefix`."""
        options = {"domain": self.js_domain, "prefix": self.js_prefix}
        return {key: value for key, value in options.items() if value}


def load_selected() -> Context | None:
    """Load the context that `NATS_CONTEXT` names, or the selected one. Return None without one.

    Raises: `ContextError` (as `load`).
    """
    if name := os.environ.get("NATS_CONTEXT"):
        return load(name)
    path = _config_dir() / "context.txt"
    try:
        name = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = _reason(error)
        raise ContextError(
            f"cannot read the selected nats context from {path}: {reason}"
        ) from error
    return load(name) if name else None


def load(name: str) -> Context:
    """Load a context by its name.

    Raises: `ContextError` (the context is missing or not valid, a file that it names is missing
    or not valid, or it uses a feature that nats-py lacks).
    """
    if not name or ".." in name or "/" in name or os.sep in name or not name.isprintable():
        raise ContextError(f"{name!r} is not a valid name of a nats context")
    path = _config_dir() / "context" / f"{name}.json"
    fields = _ContextFile(name, path)
    options: dict[str, Any] = {"servers": _server_urls(fields)}
    options |= _credential_options(fields)
    options |= _tls_options(fields)
    if prefix := fields["inbox_prefix"]:
        options["inbox_prefix"] = prefix
    return Context(
        name=name,
        path=path,
        options=options,
        js_domain=fields["jetstream_domain"] or None,
        js_prefix=fields["jetstream_api_prefix"] or None,
    )


def list_names() -> list[str]:
    """Return the names of all contexts, sorted."""
    return sorted(path.stem for path in (_config_dir() / "context").glob("*.json"))


def _config_dir() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else _expand_path("~/.config")) / "nats"


class _ContextFile:
    """The fields of a context's file, checked for their type. A missing field is ""."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        content = self._load()
        self._strings: dict[str, str] = {}
        for field_name in STRING_FIELDS:
            value = content.get(field_name)
            if not isinstance(value, str | None):
                raise self.error(field_name, f"must be a string, not {type(value).__name__}")
            if not _is_valid_text(value or ""):
                raise self.error(field_name, "contains a NUL character or half of a surrogate pair")
            self._strings[field_name] = value or ""
        tls_first = content.get("tls_first")
        if not isinstance(tls_first, bool | None):
            problem = f"must be true or false, not {type(tls_first).__name__}"
            raise self.error("tls_first", problem)
        self.tls_first = bool(tls_first)
        for field_name in UNSUPPORTED_FIELDS:
            if self._strings[field_name]:
                raise self.error(field_name, "is not supported by jetstow: remove it")

    def __getitem__(self, field_name: str) -> str:
        return self._strings[field_name]

    def error(self, field_name: str, problem: str) -> ContextError:
        """Return an error with the context, its file and the field.

        `problem` must not contain the field's value: it may be a secret.
        """
        return ContextError(f"nats context {self._name!r} ({self._path}): `{field_name}` {problem}")

    def secret(self, field_name: str) -> str:
        """Return the value of a field that may be a secret.

        Raises: `ContextError` (the value is a reference to an external secret).
        """
        self._refuse_reference(field_name, self[field_name])
        return self[field_name]

    def file(self, field_name: str) -> Path | None:
        """Return the path in a field with `~` and variables expanded; None if it is empty.

        Raises: `ContextError` (the file is not readable).
        """
        if not (value := self[field_name]):
            return None
        value = value.removeprefix("file://")
        self._refuse_reference(field_name, value)
        path = _expand_path(value)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError as error:
            raise self.error(field_name, f"names a file that does not exist: {path}") from error
        except (
            OSError
        ) as error:  # the path is too long, or leads through a file or a private folder
            problem = f"names a file that cannot be found ({error.strerror}): {path}"
            raise self.error(field_name, problem) from error
        if stat.S_ISDIR(mode):
            raise self.error(field_name, f"names a folder, not a file: {path}")
        if not os.access(path, os.R_OK):
            raise self.error(field_name, f"names a file that you may not read: {path}")
        return path

    def read(self, field_name: str, path: Path, read: Callable[[Path], T]) -> T:
        """Return what `read` returns for the file in a field.

        Raises: `ContextError` (the file cannot be read).
        """
        try:
            return read(path)
        except OSError as error:
            problem = f"names a file that cannot be read ({error.strerror}): {path}"
            raise self.error(field_name, problem) from error

    def _refuse_reference(self, field_name: str, value: str) -> None:
        if match := SECRET_REFERENCE.match(value):
            problem = f"refers to {match.group()}..., which jetstow does not support"
            raise self.error(field_name, problem)

    def _load(self) -> dict[str, Any]:
        context = f"nats context {self._name!r} ({self._path})"
        try:
            content = json.loads(self._path.read_bytes())
        except FileNotFoundError as error:
            raise ContextError(f"{context} does not exist; 'nats context ls' lists all") from error
        except OSError as error:
            raise ContextError(f"{context} is not readable: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            # `from None`: the parser's error contains the file's content, secrets included.
            line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            raise ContextError(f"{context} is not valid JSON{line}") from None
        if not isinstance(content, dict):
            raise ContextError(f"{context} is not a JSON object")
        return content


def _is_valid_text(value: str) -> bool:
    return "\0" not in value and value.encode(errors="replace").decode() == value


def _server_urls(fields: _ContextFile) -> list[str]:
    urls = [url.strip() for url in fields["url"].split(",")]
    return [url for url in urls if url] or [DEFAULT_URL]


def _credential_options(fields: _ContextFile) -> dict[str, Any]:
    """Return the token and the first kind of credentials, in the order of the `nats` command."""
    token, password = fields.secret("token"), fields.secret("password")
    options: dict[str, Any] = {"token": token} if token else {}
    # Old versions of the `nats` command also saved a token as a user without a password.
    if fields["user"] and (password or not token):
        options |= {"user": fields["user"], "password": password}
    elif creds := fields.file("creds"):
        if not has_jwt_and_seed(fields.read("creds", creds, read_credentials)):
            raise fields.error("creds", f"names a file without a user JWT and seed: {creds}")
        options["user_credentials"] = str(creds)
    elif nkey := fields.file("nkey"):
        if (seed := fields.read("nkey", nkey, read_seed)) is None:
            raise fields.error("nkey", f"names a file without an NKEY seed: {nkey}")
        options["nkeys_seed_str"] = seed
    elif fields["user_jwt"]:
        options |= _user_jwt_options(fields)
    return options


def _user_jwt_options(fields: _ContextFile) -> dict[str, Any]:
    jwt, seed = fields.secret("user_jwt").strip(), fields.secret("user_seed").strip()
    if not seed:  # a bearer JWT does not sign the nonce
        return {"user_jwt_cb": jwt.encode, "signature_cb": lambda _nonce: b""}
    if not starts_with_seed(seed):
        raise fields.error("user_seed", "is not an NKEY seed")
    return {
        "user_credentials": RawCredentials(
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n"
            f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }


def _tls_options(fields: _ContextFile) -> dict[str, Any]:
    options: dict[str, Any] = {"tls_handshake_first": True} if fields.tls_first else {}
    ca, cert, key = fields.file("ca"), fields.file("cert"), fields.file("key")
    if bool(cert) != bool(key):
        missing, present = ("key", "cert") if cert else ("cert", "key")
        raise fields.error(missing, f"is required together with `{present}`")
    if ca or cert:
        try:
            options["tls"] = context = ssl.create_default_context(cafile=ca)
        except (OSError, ValueError) as error:
            raise fields.error("ca", f"names a file without certificates: {ca}") from error
        if cert and key:
            try:
                load_client_certificate(context, cert, key)
            except (OSError, ValueError) as error:
                raise fields.error("cert", f"and `key` cannot be loaded: {error}") from error
    return options


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it is not UTF-8"


def _expand_path(path: str) -> Path:
    """Expand variables and `~` as the `nats` command does: an unset variable is empty."""
    expanded = re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda match: os.environ.get(match[1] or match[2], ""), path
    )
    return Path(os.path.expanduser(expanded))  # noqa: PTH111 - pathlib raises without a home


__all__ = ["Context", "list_names", "load", "load_selected"]
