"""Sessions of the console: sign in, sign out, expiry, tampering, CSRF, attempts."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from jetstow.console.attempts import LIMIT, PERIOD
from jetstow.console.sessions import COOKIE, LIFETIME, Token, new_token
from jetstow.s3 import Key, Keys
from jetstow.s3.server import Certificate
from tests.support.certs import make_certificates
from tests.support.gateway import KEYS, LIMITED, OTHER, OWNER, READER, RunningGateway

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.console import ConsoleClient, RunningConsole
    from tests.support.servers import NatsServer


def with_cookie(console: RunningConsole, cookie: str) -> tuple[int, str]:
    """Return status and error code of a request with a cookie."""
    from tests.support.console import ConsoleClient

    with ConsoleClient(console.url, cookies={COOKIE: cookie}) as client:
        response = client.get("session")
        return response.status_code, response.json().get("error", {}).get("code", "")


def test_session_describes_the_key(console: RunningConsole) -> None:
    with console.sign_in(LIMITED) as client:
        session = client.get("session").json()
    assert session == client.session
    assert session["access_key"] == LIMITED.access_key
    assert (session["user"], session["name"]) == ("owner-id", "owner-id")
    assert (session["allow"], session["buckets"], session["admin"]) == (
        "full",
        ["limited-*"],
        False,
    )
    assert session["preview"].startswith("http://127.0.0.1:")
    assert session["preview"] != console.url
    assert session["features"] == {"parquet": True}


def test_cookie_is_hidden_from_scripts_and_other_sites(console: RunningConsole) -> None:
    from tests.support.console import ConsoleClient

    credentials = {"access_key": OWNER.access_key, "secret_key": OWNER.secret_key}
    with ConsoleClient(console.url) as client:
        plain = client.post("session", json=credentials).headers["set-cookie"]
        # A proxy that ends TLS: the browser's own origin shows it.
        origin = {"origin": f"https://{console.host}:{console.port}"}
        secure = client.post("session", json=credentials, headers=origin).headers["set-cookie"]
    attributes = {part.strip().lower() for part in plain.split(";")[1:]}
    expected = {"httponly", "path=/_console", "samesite=strict", f"max-age={LIFETIME}"}
    assert attributes == expected
    assert "secure" in secure.lower()


def test_https(server: NatsServer, tmp_path: Path) -> None:
    from tests.support.console import ConsoleClient, RunningConsole

    files = make_certificates(tmp_path)
    certificate = Certificate(files.server, files.server_key)
    trusted = ssl.create_default_context(cafile=files.authority)
    with (
        RunningConsole(server.url, certificate=certificate) as console,
        ConsoleClient(console.url, verify=trusted) as client,
    ):
        client.sign_in(OWNER)
        (cookie,) = client.cookies.jar
        assert cookie.secure
        preview = client.session["preview"]
        assert preview.startswith("https://")
        assert client.get(f"{preview}/token/a").status_code == 403


def test_wrong_credentials(server: NatsServer) -> None:
    from tests.support.console import ConsoleClient, RunningConsole, error_code

    with RunningConsole(server.url) as console, ConsoleClient(console.url) as client:
        for body, status, code in (
            ({"access_key": "OWNERKEY", "secret_key": "wrong"}, 403, "InvalidCredentials"),
            ({"access_key": "no-key", "secret_key": ""}, 403, "InvalidCredentials"),
            ({"access_key": "OWNERKEY"}, 400, "InvalidArgument"),
            ({"access_key": 1, "secret_key": ""}, 400, "InvalidArgument"),
            ([], 400, "InvalidArgument"),
        ):
            response = client.post("session", json=body)
            assert (response.status_code, error_code(response)) == (status, code), body
        surrogate = b'{"access_key": "OWNERKEY", "secret_key": "\\ud800"}'
        for content in (b"", b"{", b"\xff", surrogate):
            headers = {"content-type": "application/json"}
            response = client.post("session", content=content, headers=headers)
            assert (response.status_code, error_code(response)) == (400, "InvalidRequest")
        form = client.post("session", data={"access_key": "a", "secret_key": "b"})
        assert (form.status_code, error_code(form)) == (400, "InvalidRequest")
        large = client.post("session", json={"access_key": "a" * 20_000, "secret_key": ""})
        assert (large.status_code, error_code(large)) == (413, "PayloadTooLarge")
        assert client.get("session").status_code == 401


def test_attempts_are_limited(server: NatsServer) -> None:
    from tests.support.console import ConsoleClient, RunningConsole, error_code

    with RunningConsole(server.url) as console, ConsoleClient(console.url) as client:
        for _ in range(LIMIT):
            wrong = {"access_key": OWNER.access_key, "secret_key": "wrong"}
            assert client.post("session", json=wrong).status_code == 403
        # The right secret does not help, and other keys of this address have to wait, too.
        for key in (OWNER, OTHER):
            right = {"access_key": key.access_key, "secret_key": key.secret_key}
            response = client.post("session", json=right)
            assert (response.status_code, error_code(response)) == (429, "TooManyAttempts")
            assert 0 < int(response.headers["retry-after"]) <= PERIOD


def test_cookie_that_was_changed(console: RunningConsole) -> None:
    token = new_token(READER, console.gateway.clock().timestamp()) if console.gateway else None
    assert token is not None
    good = token.encode()
    assert with_cookie(console, good) == (200, "")
    key, expires, nonce, signature = good.split(".")
    owner = new_token(OWNER, 0).encode().split(".")[0]
    for parts in (
        (owner, expires, nonce, signature),
        (key, str(int(expires) + 1), nonce, signature),
        (key, expires, "0" * 32, signature),
        (key, expires, nonce, "0" * 64),
        (key, expires, nonce),
        ("", expires, nonce, signature),
        ("!", expires, nonce, signature),
        (key, f" {expires}", nonce, signature),
        ("a" * 5000, expires, nonce, signature),
    ):
        assert with_cookie(console, ".".join(parts)) == (401, "SignInRequired"), parts
    other = Key(READER.access_key, "another-secret")
    assert with_cookie(console, Token(other, token.expires, nonce).encode())[0] == 401


def test_session_expires(console: RunningConsole) -> None:
    assert console.gateway is not None
    now = console.gateway.clock().timestamp()
    assert with_cookie(console, Token(OWNER, int(now) - 1, "0" * 32).encode())[0] == 401
    assert with_cookie(console, Token(OWNER, int(now) + 60, "0" * 32).encode())[0] == 200


def test_revoked_key(server: NatsServer) -> None:
    from tests.support.console import RunningConsole

    keys = Keys(KEYS)
    with RunningConsole(server.url, keys=keys) as console, console.sign_in(READER) as client:
        assert client.get("session").status_code == 200
        changed = Key(READER.access_key, "new-secret", READER.user, allow="read")
        keys.replace(Keys([OWNER, changed]))
        assert client.get("session").status_code == 401
        assert client.s3("GET", "").status_code == 401
        keys.replace(Keys([OWNER]))
        assert client.get("session").status_code == 401


def test_sign_out(console: RunningConsole) -> None:
    with console.sign_in(READER) as client:
        assert client.delete("session").status_code == 204
        assert client.get("session").status_code == 401


def test_changes_need_the_csrf_token(
    console: RunningConsole, client: ConsoleClient, s3_bucket: str
) -> None:
    from tests.support.console import error_code

    with console.sign_in() as other:
        for csrf in ("", other.session["csrf"], "é"):
            headers = [(b"x-csrf-token", csrf.encode())]
            for response in (
                client.delete("session", headers=headers),
                client.s3("PUT", f"{s3_bucket}/a", content=b"1", headers=headers),
                client.s3("DELETE", s3_bucket, headers=headers),
                client.s3("OPTIONS", s3_bucket, headers=headers),
            ):
                assert (response.status_code, error_code(response)) == (403, "InvalidCsrfToken")
    assert client.s3("GET", f"{s3_bucket}/a").status_code == 404
    assert client.s3("PUT", f"{s3_bucket}/a", content=b"1").status_code == 200


def test_pages_of_other_origins(client: ConsoleClient, s3_bucket: str) -> None:
    from tests.support.console import error_code

    own = f"{client.url}"
    for headers, status in (
        ({"origin": own, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ):
        for response in (
            client.get("session", headers=headers),
            client.s3("GET", s3_bucket, headers=headers),
        ):
            assert response.status_code == status, headers
            assert "access-control-allow-origin" not in response.headers
            if status == 403:
                assert error_code(response) == "CrossOriginRequest"


def test_names_in_the_host_header_do_not_reach_headers(client: ConsoleClient) -> None:
    for host in ("evil'; script-src *", "[", "a b", "a:b:c", "é.com"):
        response = client.get("session", headers=[(b"host", host.encode())])
        assert response.status_code in (200, 400, 401, 403)
        assert "evil" not in response.headers.get("content-security-policy", "")


def test_console_is_not_on_hosts_of_buckets(server: NatsServer, bucket: str) -> None:
    """Pages of a website would have the origin of the console."""
    from tests.support.console import RunningConsole

    options: dict[str, Any] = {
        "base_domains": ["s3.example"],
        "website_domains": ["web.example"],
    }
    with RunningConsole(server.url, **options) as console, console.sign_in() as client:
        console.client().create_bucket(Bucket=bucket)
        for domain in ("s3.example", "web.example"):
            host = {"host": f"{bucket}.{domain}"}
            for path in ("/_console/", "/_console/api/session"):
                response = client.get(f"{client.url}{path}", headers=host)
                assert response.status_code in (403, 404), (domain, path)
                assert "set-cookie" not in response.headers
        console.client().delete_bucket(Bucket=bucket)


def test_gateway_without_console(server: NatsServer) -> None:
    from tests.support.console import ConsoleClient

    with RunningGateway(server.url) as gateway, ConsoleClient(gateway.url) as client:
        assert client.get("session").status_code == 404
