"""Lines as a shell splits them, and the part of a word that bash keeps."""

from __future__ import annotations

import subprocess

import pytest

from jetstow.cli.completion_scripts import _kept_length, quoted, split_line


@pytest.mark.parametrize(
    ("line", "words", "current", "quote"),
    [
        ("", [], "", ""),
        ("jetstow ", ["jetstow"], "", ""),
        ("jetstow cat b/a", ["jetstow", "cat"], "b/a", ""),
        (r"jetstow cat b/a\ b\ ", ["jetstow", "cat"], "b/a b ", ""),
        ("cat 'b/a ", ["cat"], "b/a ", "'"),
        ('cat "b/a \\" ', ["cat"], 'b/a " ', '"'),
        ("cat 'a b'c d", ["cat", "a bc"], "d", ""),
        ("cat ''", ["cat"], "", ""),
        ("cat '' x", ["cat", ""], "x", ""),
        ("cat b\\", ["cat"], "b", ""),
        ('cat "\\a\\$\\`\\\\', ["cat"], "\\a$`\\", '"'),
        ("cat a'b c", ["cat"], "ab c", "'"),
    ],
)
def test_split_line(line: str, words: list[str], current: str, quote: str) -> None:
    assert split_line(line) == (words, current, quote)


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_quoted_names_are_read_by_bash(quote: str) -> None:
    names = [f"x{char}y{char}{char}" for char in map(chr, range(0x20, 0x7F))]
    names += ["$HOME", "$(id)", "`id`", "größe €", "{1..3}", "!!"]
    words = " ".join(f"{quote}b/{quoted(name, quote)}{quote}" for name in names)
    # Aliases, history and brace expansion as on a terminal.
    script = f"set -H; shopt -s expand_aliases extglob\nprintf '%s\\n' {words}\n"
    done = subprocess.run(
        ["bash", "--norc"], input=script, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"b/{name}" for name in names]


@pytest.mark.parametrize(
    ("current", "word", "replaced"),
    [
        ("b/with a", r"b/with\ a", "b/with a"),
        ("b/with a", "b/with a", "b/with a"),  # after an open quote
        ("b/a:b ", r"b\ ", "b "),  # a colon starts a word
        ("b/a:", "", ""),
        ("b/a", "something else", ""),
    ],
)
def test_part_that_bash_replaces(current: str, word: str, replaced: str) -> None:
    assert current[_kept_length(current, word) :] == replaced
