"""The reader of the pages notices what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import Block
from tests.docs.reader import Reader, dialogue


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def block(language: str, text: str, shown: str | None = None) -> Block:
    return Block("a.md", 1, language, text, shown)


def test_blocks_are_one_program(folder: Path) -> None:
    with Reader(folder) as reader:
        reader.read(
            [
                block("python", "import asyncio\nawait asyncio.sleep(0)\nnumber = 6\n"),
                block("python", "print(number * 7)\n", "42\n"),
                block("python", "# shown.py\nprint('in a file')\n"),
                block("console", "$ python shown.py\nin a file\n$ echo 1 | cat\n1\n"),
            ]
        )


@pytest.mark.parametrize(
    "wrong",
    [
        block("python", "print(1)\n", "2\n"),
        block("python", "print(1)\n"),
        block("console", "$ echo 1\n2\n"),
        block("console", "$ jetstow --version\njetstow 0.0\n"),
        block("python", "# forgotten.py\nprint('never run')\n"),
    ],
    ids=["prints otherwise", "prints unseen", "says otherwise", "an old version", "never run"],
)
def test_what_is_wrong_is_noticed(folder: Path, wrong: Block) -> None:
    with Reader(folder) as reader, pytest.raises(AssertionError):
        reader.read([wrong])


def test_an_error_names_the_line_of_the_page(folder: Path) -> None:
    with Reader(folder) as reader, pytest.raises(ZeroDivisionError) as caught:
        reader.read([block("python", "\n1 / 0\n")])
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("docs/a.md, line 1", 3)


def test_what_is_typed_and_what_is_shown() -> None:
    said = list(dialogue("$ one \\\n  two\nshown\nmore\n$ three\n"))
    assert said == [("one   two", "shown\nmore\n"), ("three", "")]
