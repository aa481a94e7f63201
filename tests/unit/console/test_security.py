"""Where requests come from."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import Headers

from jetstow.console.errors import ConsoleError
from jetstow.console.security import check_origin


def is_own(**headers: str) -> bool:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with suppress(ConsoleError):
        check_origin(Headers(names))
        return True
    return False


def test_origins() -> None:
    assert is_own()
    assert is_own(host="a:9000")
    for origin in ("http://a:9000", "https://a:9000", "http://A:9000"):
        assert is_own(host="a:9000", origin=origin), origin
    for origin in (
        "null", "", "http://", "a:9000", "http://a", "http://a:9001", "http://a:9000.evil",
        "http://evil@a:9000", "http://a:9000/", "http://evil://a:9000",
    ):  # fmt: skip
        assert not is_own(host="a:9000", origin=origin), origin
        assert not is_own(origin=origin), f"{origin}, by HTTP/1.0 without a Host"
    for site in ("cross-site", "same-site", "x", ""):
        assert not is_own(host="a", sec_fetch_site=site), site
    assert is_own(host="a", sec_fetch_site="same-origin")
