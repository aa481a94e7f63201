"""HTML tables of infos, listings and bucket states."""

from __future__ import annotations

from jetstow import ObjectInfo, ObjectLink, ObjectMetaOptions
from jetstow.models import ObjectList


def info(name: str, **more: object) -> ObjectInfo:
    return ObjectInfo(name=name, bucket="b", nuid="n", **more)  # type: ignore[arg-type]


def test_table_of_an_object() -> None:
    html = info("a.csv", size=12_345, headers={"Tags": ["x", "y"]}, revision=7)._repr_html_()
    for fact in ("b/a.csv", "12,345 bytes", "text/csv", "x, y", ">7<"):
        assert fact in html
    assert "link" not in html


def test_table_of_a_link() -> None:
    options = ObjectMetaOptions(link=ObjectLink(bucket="c", name="d"))
    html = info("a", options=options)._repr_html_()
    assert "c/d" in html
    assert "bytes" not in html


def test_markup_in_names_is_escaped() -> None:
    malicious = info("<script>alert(1)</script>", description="<img src=x onerror=y>")
    for html in (malicious._repr_html_(), ObjectList([malicious])._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;" in html


def test_table_of_a_long_listing_is_truncated() -> None:
    html = ObjectList(info(f"n{number}") for number in range(1_234))._repr_html_()
    assert "n99<" in html
    assert "n100<" not in html
    assert "100 of 1,234" in html
    assert ObjectList([info("a")]) == [info("a")]
