"""The context that the `nats` command line has selected (ADR-21), as nats-py options.

    ~/.config/nats/context.txt            the name of the selected context
    ~/.config/nats/context/<name>.json    its servers, credentials and TLS files

`XDG_CONFIG_HOME` moves `~/.config`; `NATS_CONTEXT` names a context instead of the selected
one. What a context asks for and nats-py cannot do is an error, never left out in silence.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.aio.client import RawCredentials

from jetstow.errors import ContextError

DEFAULT_URL = "nats://127.0.0.1:4222"

TEXTS = (
    "url", "user", "password", "token", "creds", "nkey", "user_jwt", "user_seed", "cert", "key",
    "ca", "inbox_prefix", "jetstream_domain", "jetstream_api_prefix", *(
        UNSUPPORTED := ("nsc", "socks_proxy", "windows_cert_store")
    ),
)  # fmt: skip
# The `nats` command line also takes a secret from an environment variable or from a program.
REFERENCE = re.compile(r"(file|env|op|nsc|data):", re.IGNORECASE)
CREDS_PARTS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
SEED = re.compile(rb"^\s*(S[A-Z2-7]{57})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Context:
    """A context: `nats.connect(**context.options)`.

    `js_domain` and `js_prefix` are for `jetstream(domain=..., prefix=...)`, where a domain
    counts for more than a prefix.
    """

    name: str
    path: Path
    options: dict[str, Any] = field(repr=False)  # passwords, tokens, seeds
    js_domain: str | None = None
    js_prefix: str | None = None

    @property
    def js_options(self) -> dict[str, str]:
        """What it says of JetStream, for `jetstream(...)`; what it does not say is not there."""
        named = {"domain": self.js_domain, "prefix": self.js_prefix}
        return {key: value for key, value in named.items() if value}


def selected() -> Context | None:
    """The context that `NATS_CONTEXT` names or that is selected; None when none is.

    Raises: `ContextError`.
    """
    if name := os.environ.get("NATS_CONTEXT"):
        return load(name)
    choice = _folder() / "context.txt"
    try:
        name = choice.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as cause:
        raise ContextError(f"the selected nats context: {choice} is not readable") from cause
    return load(name) if name else None


def load(name: str) -> Context:
    """The context of that name.

    Raises: `ContextError` when it is missing or damaged, names a file that is missing or
    unusable, or asks for something that nats-py cannot do.
    """
    if not name or ".." in name or "/" in name or os.sep in name or not name.isprintable():
        raise ContextError(f"not the name of a nats context: {name!r}")
    path = _folder() / "context" / f"{name}.json"
    fields = _Fields(name, path)
    options: dict[str, Any] = {"servers": _servers(fields)}
    options |= _credentials(fields)
    options |= _tls(fields)
    if prefix := fields["inbox_prefix"]:
        options["inbox_prefix"] = prefix
    return Context(
        name=name,
        path=path,
        options=options,
        js_domain=fields["jetstream_domain"] or None,
        js_prefix=fields["jetstream_api_prefix"] or None,
    )


def _folder() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else _expand("~/.config")) / "nats"


class _Fields:
    """The fields of a context's file, each of the right type; an absent one is empty."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        told = self._read()
        self._texts: dict[str, str] = {}
        for text in TEXTS:
            value = told.get(text)
            if not isinstance(value, str | None):
                raise self.error(text, f"is not a string but {type(value).__name__}")
            if not _is_text(value or ""):
                raise self.error(text, "holds what is no text: a zero byte, or half a character")
            self._texts[text] = value or ""
        tls_first = told.get("tls_first")
        if not isinstance(tls_first, bool | None):
            raise self.error("tls_first", f"is not true or false but {type(tls_first).__name__}")
        self.tls_first = bool(tls_first)
        for beyond_us in UNSUPPORTED:
            if self._texts[beyond_us]:
                raise self.error(beyond_us, "is not supported")

    def __getitem__(self, text: str) -> str:
        return self._texts[text]

    def error(self, text: str, problem: str) -> ContextError:
        """Names the context, its file and the field; `problem` must not tell a secret."""
        return ContextError(f"nats context {self._name!r} ({self._path}): `{text}` {problem}")

    def secret(self, text: str) -> str:
        """A value that stands for itself."""
        if found := REFERENCE.match(self[text]):
            raise self.error(text, f"refers to {found.group()}..., which is not supported")
        return self[text]

    def file(self, text: str) -> Path | None:
        """The path of a readable file, `~` and variables expanded; None if none is named."""
        if not (named := self[text]):
            return None
        named = named.removeprefix("file://")
        if found := REFERENCE.match(named):
            raise self.error(text, f"refers to {found.group()}..., which is not supported")
        path = _expand(named)
        if not os.access(path, os.R_OK) or path.is_dir():
            raise self.error(text, f"names a file that is missing or not readable: {path}")
        return path

    def _read(self) -> dict[str, Any]:
        where = f"nats context {self._name!r} ({self._path})"
        try:
            told = json.loads(self._path.read_bytes())
        except FileNotFoundError as cause:
            raise ContextError(f"{where} does not exist") from cause
        except OSError as cause:
            raise ContextError(f"{where} is not readable: {cause.strerror}") from cause
        except (ValueError, RecursionError) as cause:
            # The parser's own error would carry the file, secrets included.
            place = f" (line {cause.lineno})" if isinstance(cause, json.JSONDecodeError) else ""
            raise ContextError(f"{where} is not JSON{place}") from None
        if not isinstance(told, dict):
            raise ContextError(f"{where} is not a JSON object")
        return told


def _is_text(value: str) -> bool:
    return "\0" not in value and value.encode(errors="replace").decode() == value


def _servers(fields: _Fields) -> list[str]:
    urls = [url.strip() for url in fields["url"].split(",")]
    return [url for url in urls if url] or [DEFAULT_URL]


def _credentials(fields: _Fields) -> dict[str, Any]:
    """What the `nats` command line would use: the first that is there, and the token."""
    token, password = fields.secret("token"), fields.secret("password")
    options: dict[str, Any] = {"token": token} if token else {}
    # Old versions of the command line saved a token as a user without password, too.
    if fields["user"] and (password or not token):
        options |= {"user": fields["user"], "password": password}
    elif creds := fields.file("creds"):
        # nats-py would look for the missing part without end.
        if not all(part in creds.read_bytes() for part in CREDS_PARTS):
            raise fields.error("creds", f"names a file without credentials: {creds}")
        options["user_credentials"] = str(creds)
    elif nkey := fields.file("nkey"):
        # Taken out of the file, since nats-py reads bare seeds only, not decorated ones.
        if not (seed := SEED.search(nkey.read_bytes())):
            raise fields.error("nkey", f"names a file without a seed: {nkey}")
        options["nkeys_seed_str"] = seed[1].decode()
    elif fields["user_jwt"]:
        options |= _user_jwt(fields)
    return options


def _user_jwt(fields: _Fields) -> dict[str, Any]:
    jwt, seed = fields.secret("user_jwt").strip(), fields.secret("user_seed").strip()
    if not seed:  # a bearer's token is not signed
        return {"user_jwt_cb": jwt.encode, "signature_cb": lambda _nonce: b""}
    if not SEED.match(seed.encode()):
        raise fields.error("user_seed", "is not a seed")
    return {
        "user_credentials": RawCredentials(
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n"
            f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }


def _tls(fields: _Fields) -> dict[str, Any]:
    options: dict[str, Any] = {"tls_handshake_first": True} if fields.tls_first else {}
    ca, cert, key = fields.file("ca"), fields.file("cert"), fields.file("key")
    if bool(cert) != bool(key):
        missing, given = ("key", "cert") if cert else ("cert", "key")
        raise fields.error(missing, f"is missing, while `{given}` is given")
    if ca or cert:
        try:
            options["tls"] = context = ssl.create_default_context(cafile=ca)
        except (OSError, ValueError) as cause:
            raise fields.error("ca", f"names a file without certificates: {ca}") from cause
        if cert:
            try:
                # A password would be asked for on the terminal, which nobody may be reading.
                context.load_cert_chain(cert, key, password="")
            except (OSError, ValueError) as cause:
                raise fields.error("cert", f"and `key` do not load: {cause}") from cause
    return options


def _expand(path: str) -> Path:
    """As the `nats` command line does: a variable that is not set is empty."""
    expanded = re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda found: os.environ.get(found[1] or found[2], ""), path
    )
    return Path(os.path.expanduser(expanded))  # noqa: PTH111 - pathlib raises without a home


__all__ = ["Context", "load", "selected"]
