"""The order of names in an index, and its pages."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow._core.read.index_entry import IndexEntry
from jetstow._core.read.name_index import (
    IndexPage,
    NameIndex,
    PageCandidates,
    PageQuery,
    successor,
)

NAMES = ["a", "dir/", "dir/1", "dir/2", "dir/sub/3", "dir0", "z/1", "é", "\U0010ffff/x"]


def entry(name: str, *, time: int = 100, expires: int = 0) -> IndexEntry:
    return IndexEntry(name, 1, 0, time, expires=expires)


def index_of(names: list[str]) -> NameIndex:
    return NameIndex({name: entry(name) for name in names})


def page(names: list[str], **query: object) -> tuple[list[str], list[str], str | None]:
    found = index_of(names).page(PageQuery(**query))  # type: ignore[arg-type]
    return [each.name for each in found.entries], found.prefixes, found.next


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (NAMES, [], None)),
        ({"limit": 2}, (["a", "dir/"], [], "dir/")),
        ({"limit": 9}, (NAMES, [], None)),
        ({"limit": 0}, ([], [], None)),
        ({"after": "dir/1", "limit": 1}, (["dir/2"], [], "dir/2")),
        ({"after": "dir/15", "limit": 1}, (["dir/2"], [], "dir/2")),
        ({"after": "\U0010ffff/x"}, ([], [], None)),
        ({"prefix": "dir"}, (NAMES[1:6], [], None)),
        ({"prefix": "dir/", "after": "a"}, (NAMES[1:5], [], None)),
        ({"prefix": "dir/", "after": "dir/"}, (NAMES[2:5], [], None)),
        ({"prefix": "dir/", "after": "z"}, ([], [], None)),
        ({"prefix": "missing"}, ([], [], None)),
        ({"delimiter": "/"}, (["a", "dir0", "é"], ["dir/", "z/", "\U0010ffff/"], None)),
        ({"delimiter": "/", "limit": 2}, (["a"], ["dir/"], "dir/")),
        ({"delimiter": "/", "after": "dir/", "limit": 1}, (["dir0"], [], "dir0")),
        ({"delimiter": "/", "after": "dir/1", "limit": 1}, ([], ["dir/"], "dir/")),
        ({"delimiter": "/", "prefix": "dir/"}, (["dir/", "dir/1", "dir/2"], ["dir/sub/"], None)),
        ({"delimiter": "/", "prefix": "dir/", "after": "dir/sub/"}, ([], [], None)),
        ({"delimiter": "ir", "prefix": "d"}, ([], ["dir"], None)),
        ({"delimiter": "/", "after": "\U0010ffff/"}, ([], [], None)),
    ],
)
def test_page(query: dict[str, object], expected: tuple[list[str], list[str], str | None]) -> None:
    assert page(NAMES, **query) == expected


def test_order_is_that_of_utf_8() -> None:
    """S3 sorts names by their bytes. UTF-16, for example, has another order."""
    names = ["a", "Z", "é", "\uffff", "\U0001f600", "a/", "a0", "a\x00"]
    assert page(names)[0] == sorted(names, key=str.encode)


def test_expired_objects_are_left_out() -> None:
    names = NameIndex()
    for each in (entry("a"), entry("b", expires=200), entry("c/1", expires=200), entry("c/2")):
        names.set(each)
    query = PageQuery(delimiter="/")
    assert [each.name for each in names.page(query, now=199).entries] == ["a", "b"]
    later = names.page(query, now=200)
    assert ([each.name for each in later.entries], later.prefixes) == (["a"], ["c/"])
    names.discard("c/2")
    assert names.page(query, now=200).prefixes == []
    assert names.page(query, now=301, max_age=200).entries == []
    assert names.page(PageQuery(limit=1), now=200) == IndexPage([entry("a")])


def test_change_and_removal() -> None:
    names = index_of(["a", "b"])
    names.set(entry("a", time=5))
    names.set(entry("c"))
    names.discard("b")
    names.discard("missing")
    assert [(each.name, each.time) for each in names.page(PageQuery()).entries] == [
        ("a", 5), ("c", 100),
    ]  # fmt: skip
    assert len(names) == 2


@given(st.text(min_size=1), st.text())
def test_successor_follows_all_names_with_a_prefix(prefix: str, rest: str) -> None:
    following = successor(prefix)
    assert (following is None) == (set(prefix) == {"\U0010ffff"})
    if following is not None:
        assert prefix + rest < following
        assert not following.startswith(prefix)


ALPHABET = "a/b\U0010ffff"


@given(
    st.sets(st.text(ALPHABET, min_size=1, max_size=5)),
    st.text(ALPHABET, max_size=2),
    st.sampled_from(["", "/", "a/"]),
    st.integers(1, 4),
    st.booleans(),
)
def test_pages_together_have_all_names(
    names: set[str], prefix: str, delimiter: str, limit: int, scan: bool
) -> None:
    """Page after page, each name or its group is there once, in order; from a scan, too."""
    index, after, found = index_of(sorted(names)), "", list[str]()
    for _ in itertools.count():
        query = PageQuery(prefix, after, delimiter, limit)
        if scan:
            candidates = PageCandidates(query, 0, 0)
            for name in names:
                candidates.add(entry(name))
            one = candidates.page()
        else:
            one = index.page(query)
        items = sorted([each.name for each in one.entries] + one.prefixes)
        assert len(items) <= limit
        found += items
        if one.next is None:
            break
        assert len(items) == limit
        assert one.next == items[-1]
        after = one.next
    query = PageQuery(prefix, "", delimiter)
    matching = {query.group(name) or name for name in names if name.startswith(prefix)}
    assert found == sorted(matching)
