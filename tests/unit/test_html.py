"""What notebooks show of infos, listings and states."""

from __future__ import annotations

from jetstow import ObjectInfo, ObjectLink, ObjectMetaOptions
from jetstow.models import ObjectList


def info(name: str, **more: object) -> ObjectInfo:
    return ObjectInfo(name=name, bucket="b", nuid="n", **more)  # type: ignore[arg-type]


def test_an_object_is_a_table_of_facts() -> None:
    shown = info("a.csv", size=12_345, headers={"Tags": ["x", "y"]}, revision=7)._repr_html_()
    for fact in ("b/a.csv", "12,345 bytes", "text/csv", "x, y", ">7<"):
        assert fact in shown
    assert "link" not in shown


def test_a_link_says_where_it_leads() -> None:
    options = ObjectMetaOptions(link=ObjectLink(bucket="c", name="d"))
    shown = info("a", options=options)._repr_html_()
    assert "c/d" in shown
    assert "bytes" not in shown


def test_names_are_text_and_nothing_else() -> None:
    nasty = info("<script>alert(1)</script>", description="<img src=x onerror=y>")
    for shown in (nasty._repr_html_(), ObjectList([nasty])._repr_html_()):
        assert "<script" not in shown
        assert "<img" not in shown
        assert "&lt;script&gt;" in shown


def test_a_listing_shows_its_beginning_and_how_long_it_is() -> None:
    shown = ObjectList(info(f"n{number}") for number in range(1_234))._repr_html_()
    assert "n99<" in shown
    assert "n100<" not in shown
    assert "100 of 1,234" in shown
    assert ObjectList([info("a")]) == [info("a")]
