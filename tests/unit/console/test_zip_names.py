"""Paths in archives: safe to extract, and all different."""

from __future__ import annotations

import itertools

from jetstow.console.zip_names import archive_paths


def test_paths_begin_after_the_folder() -> None:
    names = ["a/b/c.txt", "a/b/d/e"]
    assert archive_paths(names, 4) == {"a/b/c.txt": "c.txt", "a/b/d/e": "d/e"}


def test_hostile_names() -> None:
    names = {
        "/etc/passwd": "etc/passwd",
        "../../evil": "__/__/evil",
        "a/./b//c": "a/b/c",
        "..\\..\\evil": ".._.._evil",
        "C:\\x": "C__x",
        "a\n\x00b": "a__b",
        "...": "___",
        "/": "_",
        "con.txt": "_con.txt",
        "AUX": "_AUX",
        "console": "console",
        "end. ": "end__",
        "\u202egpj.exe": "_gpj.exe",
        "<b>.html": "_b_.html",
        "é" * 200: "é" * 120,
    }
    assert archive_paths(names, 0) == names


def test_paths_are_all_different() -> None:
    names = ["a", "a/b", "A", "x?", "x*", "x_", ".env", ".ENV", "d.tar.gz", "D.tar.gz"]
    assert archive_paths(names, 0) == {
        "a": "a (2)",
        "a/b": "a/b",
        "A": "A (3)",
        "x?": "x_",
        "x*": "x_ (2)",
        "x_": "x_ (3)",
        ".env": ".env",
        ".ENV": ".ENV (2)",
        "d.tar.gz": "d.tar.gz",
        "D.tar.gz": "D.tar (2).gz",
    }


def test_many_names_that_become_the_same_path() -> None:
    """A writer of a bucket can choose them. They took hours, and names with many slashes memory."""
    unsafe = '"*:<>?|\\'
    same = ["".join(each) for each in itertools.product(unsafe, repeat=4)]
    assert len(set(archive_paths(same, 0).values())) == len(same) == 4_096
    deep = ["a/" * 500 + str(number) for number in range(200)]
    assert archive_paths(deep, 0) == {name: name for name in deep}
