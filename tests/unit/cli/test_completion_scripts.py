"""Lines as a shell splits them, and the part of a word that bash keeps."""

from __future__ import annotations

import pytest

from jetstow.cli.completion_scripts import _kept_length, split_line


@pytest.mark.parametrize(
    ("line", "words", "current"),
    [
        ("", [], ""),
        ("jetstow ", ["jetstow"], ""),
        ("jetstow cat b/a", ["jetstow", "cat"], "b/a"),
        (r"jetstow cat b/a\ b\ ", ["jetstow", "cat"], "b/a b "),
        ("cat 'b/a ", ["cat"], "b/a "),
        ('cat "b/a \\" ', ["cat"], 'b/a " '),
        ("cat 'a b'c d", ["cat", "a bc"], "d"),
        ("cat ''", ["cat"], ""),
        ("cat '' x", ["cat", ""], "x"),
        ("cat b\\", ["cat"], "b"),
    ],
)
def test_split_line(line: str, words: list[str], current: str) -> None:
    assert split_line(line) == (words, current)


@pytest.mark.parametrize(
    ("current", "word", "replaced"),
    [
        ("b/with a", None, "b/with a"),
        ("b/with a", r"b/with\ a", "b/with a"),
        ("b/with a", "b/with a", "b/with a"),  # after an open quote
        ("b/a:b ", r"b\ ", "b "),  # a colon starts a word
        ("b/a:", "", ""),
        ("b/a", "something else", ""),
    ],
)
def test_part_that_bash_replaces(current: str, word: str | None, replaced: str) -> None:
    assert current[_kept_length(current, word) :] == replaced
