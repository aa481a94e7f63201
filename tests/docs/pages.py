"""The pages of the site and their blocks of code."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"

_BLOCK: Final = re.compile(r"^(`{3,})([\w+{}-]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
# The first line of a block that is a file: `# hello.py`, `# /etc/nats/server.conf`.
_NAMED: Final = re.compile(r"# ((?:[\w./-]*/)?(?:[\w-]+\.[a-z]+|Containerfile|cron\.d/[\w-]+))\n")


@dataclass(frozen=True)
class Block:
    """A block of code on a page. `output` is what the page shows as its output, if it does."""

    page: str
    line: int
    language: str
    text: str
    output: str | None = None

    @property
    def file(self) -> str | None:
        """The name of the file to write the block to: its first line, as in `# hello.py`.

        A file of a server, such as `# /etc/nats/server.conf`, has the same name without the folder.
        """
        match = _NAMED.match(self.text)
        return match[1].rpartition("/")[2] if match else None

    @property
    def is_run(self) -> bool:
        """Whether the test of the page runs the block, or writes it to a file."""
        return self.language in {"python", "console"} or self.file is not None

    def __str__(self) -> str:
        return f"{self.page}, line {self.line}"


def names() -> list[str]:
    """Return every page except the decisions, as a path relative to `docs`."""
    paths = (path.relative_to(DOCS) for path in DOCS.rglob("*.md"))
    return sorted(str(path) for path in paths if path.parts[0] not in {"decisions", "_build"})


@functools.cache
def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Return all blocks of a page, in order."""
    return parse(text(page), f"docs/{page}")


def parse(source: str, page: str) -> list[Block]:
    """Return the blocks of a Markdown text. A `text` block right after `python` is its output."""
    parsed: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(source):
        language, content = match[2], match[3]
        follows = bool(parsed) and not source[end : match.start()].strip()
        if language == "text" and follows and parsed[-1].language == "python":
            parsed.append(replace(parsed.pop(), output=content))
        else:
            line = source.count("\n", 0, match.start()) + 1
            parsed.append(Block(page, line, language, content))
        end = match.end()
    return parsed


def prose(page: str) -> str:
    """Return the page without its blocks."""
    return _BLOCK.sub("", text(page))
