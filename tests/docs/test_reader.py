"""The reader of the pages detects mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import Block, parse
from tests.docs.reader import Reader, dialogue


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def block(language: str, text: str, output: str | None = None) -> Block:
    return Block("docs/a.md", 1, language, text, output)


def test_blocks_share_a_namespace(folder: Path) -> None:
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
    ids=["other output", "missing output", "other shell output", "old version", "never run"],
)
def test_reader_detects_a_mistake(folder: Path, wrong: Block) -> None:
    with Reader(folder) as reader, pytest.raises(AssertionError):
        reader.read([wrong])


def test_traceback_has_the_line_of_the_page(folder: Path) -> None:
    with Reader(folder) as reader, pytest.raises(ZeroDivisionError) as caught:
        reader.read([block("python", "\n1 / 0\n")])
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("docs/a.md, line 1", 3)


def test_dialogue_of_commands_and_output() -> None:
    pairs = list(dialogue("$ one \\\n  two\nshown\nmore\n$ three\n"))
    assert pairs == [("one   two", "shown\nmore\n"), ("three", "")]


def test_text_block_after_python_is_its_output() -> None:
    source = "```python\nprint(1)\n```\n```text\n1\n```\nProse.\n```text\nnot output\n```\n"
    first, second = parse(source, "a.md")
    assert (first.language, first.line, first.output) == ("python", 1, "1\n")
    assert (second.language, second.line, second.output) == ("text", 8, None)
