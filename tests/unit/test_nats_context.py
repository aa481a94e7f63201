"""Loading a context of the `nats` command line: selection, options and errors."""

from __future__ import annotations

import datetime
import inspect
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats.aio.client import Client

from jetstow import _nats_context
from jetstow.errors import ContextError

SEED = "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4"
# A context as the `nats` command saves it: with all fields, most of them empty.
SAVED_FIELDS = {
    "description": "", "url": "nats://demo:4222", "socks_proxy": "", "token": "", "user": "",
    "password": "", "creds": "", "nkey": "", "cert": "", "key": "", "ca": "", "nsc": "",
    "jetstream_domain": "", "jetstream_api_prefix": "", "jetstream_event_prefix": "",
    "inbox_prefix": "", "user_jwt": "", "color_scheme": "", "tls_first": False,
    "windows_cert_store": "", "windows_ca_certs_match": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration folder of the `nats` command, without contexts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NATS_CONTEXT", raising=False)
    folder = tmp_path / "config" / "nats"
    (folder / "context").mkdir(parents=True)
    return folder


@pytest.fixture
def save(config: Path) -> Any:
    """A function that saves a context `demo` with some fields set."""

    def save(**fields: Any) -> Path:
        path = config / "context" / "demo.json"
        path.write_text(json.dumps(SAVED_FIELDS | fields))
        return path

    return save


# -- selection --------------------------------------------------------------------------


def test_no_selection() -> None:
    assert _nats_context.load_selected() is None


def test_selected_context(config: Path, save: Any) -> None:
    path = save()
    (config / "context.txt").write_text("demo\n")
    context = _nats_context.load_selected()
    assert context is not None
    assert (context.name, context.path) == ("demo", path)
    assert context.options == {"servers": ["nats://demo:4222"]}
    assert (context.js_domain, context.js_prefix) == (None, None)


def test_empty_selection(config: Path) -> None:
    (config / "context.txt").write_text("\n")
    assert _nats_context.load_selected() is None


def test_environment_variable_overrides_the_selection(
    config: Path, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save()
    (config / "context.txt").write_text("another")
    monkeypatch.setenv("NATS_CONTEXT", "demo")
    assert _nats_context.load_selected() == _nats_context.load("demo")


def test_default_folder_without_xdg_config_home(
    config: Path, save: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save()
    (tmp_path / "config").rename(tmp_path / ".config")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert _nats_context.load("demo").path == tmp_path / ".config/nats/context/demo.json"


# -- options ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"url": ""}, {"servers": ["nats://127.0.0.1:4222"]}),
        ({"url": None}, {"servers": ["nats://127.0.0.1:4222"]}),
        ({"url": "tls://a:1, b:2,"}, {"servers": ["tls://a:1", "b:2"]}),
        ({"user": "u", "password": "p"}, {"user": "u", "password": "p"}),
        ({"user": "u"}, {"user": "u", "password": ""}),
        ({"token": "t"}, {"token": "t"}),
        ({"user": "t", "token": "t"}, {"token": "t"}),
        ({"inbox_prefix": "_IN"}, {"inbox_prefix": "_IN"}),
        ({"tls_first": True}, {"tls_handshake_first": True}),
        ({"color_scheme": "red", "of_a_later_version": [1]}, {}),
    ],
)
def test_options(save: Any, fields: dict[str, Any], options: dict[str, Any]) -> None:
    save(**fields)
    assert _nats_context.load("demo").options == {"servers": ["nats://demo:4222"]} | options


def test_options_are_parameters_of_nats_py(save: Any, files: Path) -> None:
    save(user="u", password="p", token="t", inbox_prefix="i", tls_first=True, ca=f"{files}/ca")
    parameters = inspect.signature(Client.connect).parameters
    assert set(_nats_context.load("demo").options) <= set(parameters)


def test_jetstream_options(save: Any) -> None:
    save(jetstream_domain="hub", jetstream_api_prefix="$JS.x.API")
    context = _nats_context.load("demo")
    assert (context.js_domain, context.js_prefix) == ("hub", "$JS.x.API")


def test_repr_contains_no_secrets(save: Any) -> None:
    save(url="nats://joe:hush@demo", user="joe", password="hush", token="hush")
    assert "hush" not in repr(_nats_context.load("demo"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with valid credentials, an NKEY seed and TLS files."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "user.creds").write_text(
        "-----BEGIN NATS USER JWT-----\nthe.jwt\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END USER NKEY SEED------\n"
    )
    (folder / "user.nk").write_text(f"-----BEGIN USER NKEY SEED-----\n{SEED}\n------END\n")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "demo")])
    day = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day.replace(year=2120))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    (folder / "ca").write_bytes(certificate)
    (folder / "cert").write_bytes(certificate)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    (folder / "key").write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    encryption = serialization.BestAvailableEncryption(b"pass")
    (folder / "encrypted_key").write_bytes(key.private_bytes(*form, encryption))
    return folder


@pytest.mark.parametrize("creds", ["~/files/user.creds", "$FILES/user.creds", "${FILES}/user.creds",
                                   "file://$UNSET$FILES/user.creds"])  # fmt: skip
def test_expanded_paths(
    save: Any, files: Path, creds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILES", str(files))
    save(creds=creds)
    assert _nats_context.load("demo").options["user_credentials"] == str(files / "user.creds")


def test_nkey_file_with_and_without_header(save: Any, files: Path) -> None:
    save(nkey=str(files / "user.nk"))
    assert _nats_context.load("demo").options["nkeys_seed_str"] == SEED
    (files / "user.nk").write_text(SEED)
    assert _nats_context.load("demo").options["nkeys_seed_str"] == SEED
    assert nkeys.from_seed(bytearray(SEED.encode())).public_key.startswith(b"U")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("field", ["creds", "nkey"])
def test_credentials_file_that_never_ends(save: Any, field: str) -> None:
    """It was read until the memory was exhausted."""
    save(**{field: "/dev/full"})
    with pytest.raises(ContextError, match="/dev/full"):
        _nats_context.load("demo")


def test_several_kinds_of_credentials(save: Any, files: Path) -> None:
    save(user="u", password="p", creds=str(files / "user.creds"), nkey=str(files / "user.nk"))
    assert set(_nats_context.load("demo").options) == {"servers", "user", "password"}


def test_user_jwt_with_seed(save: Any) -> None:
    save(user_jwt="the.jwt", user_seed=SEED)
    lines = str(_nats_context.load("demo").options["user_credentials"]).splitlines()
    assert lines[1] == "the.jwt"
    assert lines[4] == SEED


def test_bearer_user_jwt(save: Any) -> None:
    save(user_jwt="the.jwt")
    options = _nats_context.load("demo").options
    assert options["user_jwt_cb"]() == b"the.jwt"
    assert options["signature_cb"]("nonce") == b""


def test_tls_context(save: Any, files: Path) -> None:
    save(ca=str(files / "ca"), cert=str(files / "cert"), key=str(files / "key"))
    context = _nats_context.load("demo").options["tls"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509"] == 1


# -- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": 4222}, "url"),
        ({"password": ["hush"]}, "password"),
        ({"tls_first": "hush"}, "tls_first"),
        ({"nsc": "nsc://operator/account/user"}, "nsc"),
        ({"socks_proxy": "socks5://hush@proxy"}, "socks_proxy"),
        ({"windows_cert_store": "user"}, "windows_cert_store"),
        ({"creds": "/missing/hush"}, "creds"),
        ({"creds": "op://vault/item"}, "creds"),
        ({"token": "env://HUSH"}, "token"),
        ({"nkey": "/"}, "nkey"),
        ({"user_jwt": "the.jwt", "user_seed": "hush"}, "user_seed"),
        ({"ca": "$UNSET/missing"}, "ca"),
    ],
)
def test_invalid_field(save: Any, fields: dict[str, Any], field: str) -> None:
    path = save(**fields)
    with pytest.raises(ContextError) as caught:
        _nats_context.load("demo")
    message = str(caught.value)
    assert message.startswith(f"nats context 'demo' ({path}): `{field}` ")
    assert "hush" not in message or "/missing/hush" in message


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"creds": "user.nk"}, "creds"),
        ({"nkey": "ca"}, "nkey"),
        ({"ca": "user.nk"}, "ca"),
        ({"cert": "cert"}, "key"),
        ({"key": "key"}, "cert"),
        ({"cert": "cert", "key": "user.nk"}, "cert"),
        ({"cert": "cert", "key": "encrypted_key"}, "cert"),
    ],
)
def test_invalid_credential_file(
    save: Any, files: Path, fields: dict[str, str], field: str
) -> None:
    save(**{name: str(files / file) for name, file in fields.items()})
    with pytest.raises(ContextError, match=rf"^nats context 'demo' \(.*\): `{field}` "):
        _nats_context.load("demo")


@pytest.mark.parametrize("field", ["creds", "nkey", "ca", "cert", "key"])
@pytest.mark.parametrize(
    "path", ["9" * 400, "{file}/below", "{loop}"], ids=["long", "file", "loop"]
)
def test_path_that_leads_to_no_file(save: Any, tmp_path: Path, field: str, path: str) -> None:
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    save(**{field: path.format(file=file, loop=loop)})
    with pytest.raises(
        ContextError, match=rf"`{field}` names a file that cannot be found \(\w.*\): "
    ):
        _nats_context.load("demo")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
@pytest.mark.parametrize("field", ["creds", "nkey"])
def test_file_whose_reads_fail(save: Any, field: str) -> None:
    save(**{field: "/proc/self/mem"})
    with pytest.raises(
        ContextError, match=rf"`{field}` names a file that cannot be read \(\w.*\): "
    ):
        _nats_context.load("demo")


@pytest.mark.parametrize("text", ["", "{", "[]", '"hush"', '{"token": "hush"', "\xff"])
def test_invalid_context_file(config: Path, text: str) -> None:
    (config / "context/demo.json").write_text(text, encoding="latin-1")
    with pytest.raises(ContextError, match="'demo'") as caught:
        _nats_context.load("demo")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_missing_context_file(config: Path) -> None:
    (config / "context.txt").write_text("gone")
    with pytest.raises(ContextError, match=r"'gone' \(.*gone\.json\) does not exist"):
        _nats_context.load_selected()


def test_unreadable_context_file(config: Path) -> None:
    (config / "context/demo.json").mkdir()
    with pytest.raises(ContextError, match="not readable: Is a directory"):
        _nats_context.load("demo")
    (config / "context.txt").mkdir()
    with pytest.raises(ContextError, match=r"cannot read .*: Is a directory"):
        _nats_context.load_selected()


@pytest.mark.parametrize("name", ["", "..", "../demo", "a/b", "a\nb"])
def test_name_with_path_separators(name: str) -> None:
    with pytest.raises(ContextError, match="not a valid name"):
        _nats_context.load(name)
