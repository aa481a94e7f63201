"""Glob patterns match as in a shell."""

from __future__ import annotations

import pytest

from jetstow._glob import matches, matches_name


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a", ["a"], ["", "ab", "A", "a/b"]),
        ("*.csv", ["a.csv", ".csv"], ["a/b.csv", "a.csv.gz"]),
        ("logs/*.csv", ["logs/a.csv"], ["logs/2026/a.csv", "a.csv"]),
        ("**.csv", ["a.csv", "a/b.csv"], ["a.txt"]),
        ("**/*.csv", ["a.csv", "a/b.csv", "a/b/c.csv"], ["a.txt", "a/csv"]),
        ("logs/**/x", ["logs/x", "logs/a/x", "logs/a/b/x"], ["logsx", "x", "logs/ax"]),
        ("logs/**", ["logs/", "logs/a", "logs/a/b"], ["logs", "log"]),
        ("a**/b", ["a/b", "ax/y/b"], ["b", "a"]),
        ("?", ["a", "é"], ["", "ab", "/"]),
        ("a[0-9]", ["a0", "a5"], ["a", "ab", "a10"]),
        ("[!a-c]x", ["dx", "-x"], ["ax", "/x"]),
        ("[]x]", ["]", "x"], ["y"]),
        ("[!]x]", ["y"], ["]", "x"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[z-a]", [], ["z", "a", "-"]),
        ("[a^]", ["^", "a"], ["b"]),
        ("[", ["["], ["a"]),
        ("[!", ["[!"], ["a"]),
        ("a.b+(c)|d$", ["a.b+(c)|d$"], ["aXb+(c)|d$", "d$"]),
        ("[.]", ["."], ["a"]),
        ("line*", ["line\nbreak"], ["a\nline"]),
        ("", [""], ["a"]),
    ],
)
def test_glob_pattern(pattern: str, matching: list[str], others: list[str]) -> None:
    assert [name for name in matching if not matches(pattern, name)] == []
    assert [name for name in others if matches(pattern, name)] == []


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.csv", ["a.csv", "a/b.csv", "a/b/c.csv"], ["a.csv/b", "a.csv/"]),
        ("b", ["b", "a/b"], ["a", "b/a", "ab"]),
        ("a/*.csv", ["a/b.csv"], ["b.csv", "x/a/b.csv", "a/b/c.csv"]),
        ("**", ["a", "a/b", "a/"], []),
    ],
)
def test_pattern_without_a_slash(pattern: str, matching: list[str], others: list[str]) -> None:
    """The library compared it with the whole name, the command line with the last part."""
    assert [name for name in matching if not matches_name(pattern, name)] == []
    assert [name for name in others if matches_name(pattern, name)] == []
