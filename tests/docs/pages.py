"""The pages of the site: their blocks, their headings, their links."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"

_BLOCK: Final = re.compile(r"^(`{3,})([\w+-]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_NAMED: Final = re.compile(r"# ([\w-]+\.py)\n")


@dataclass(frozen=True)
class Block:
    """A block of code on a page, and what the page says that it prints, if it does."""

    page: str
    line: int
    language: str
    text: str
    shown: str | None = None

    @property
    def file(self) -> str | None:
        """The file that it is meant for: its first line names it, as in `# hello.py`."""
        named = _NAMED.match(self.text)
        return named[1] if named else None

    def __str__(self) -> str:
        return f"docs/{self.page}, line {self.line}"


def names() -> list[str]:
    """Every page but the decisions, by its path in `docs`."""
    found = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return sorted(str(path) for path in found if path.parts[0] not in {"decisions", "_build"})


@functools.cache
def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """All blocks, in order. `text` right behind `python` is what that prints."""
    source = text(page)
    found: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(source):
        language, inside = match[2], match[3]
        follows = bool(found) and not source[end : match.start()].strip()
        if language == "text" and follows and found[-1].language == "python":
            last = found.pop()
            found.append(Block(last.page, last.line, last.language, last.text, inside))
        else:
            line = source.count("\n", 0, match.start()) + 1
            found.append(Block(page, line, language, inside))
        end = match.end()
    return found


def prose(page: str) -> str:
    """The page without its blocks."""
    return _BLOCK.sub("", text(page))
