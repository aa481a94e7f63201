"""Check that prose and names use plain technical English (CONTRIBUTING.md, "Style").

    python scripts/check_words.py [FILE ...]

Without files, it checks the source and the documentation. It prints each line with a ruled-out
word, with a replacement, and exits with 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Ruled-out words with replacements. They are matched in names, too, between underscores.
WORDS = {
    r"nobody|no one": "'no client', 'no process', or the passive voice",
    r"somebody|someone|anybody|anyone": "name the client, the user or the process",
    r"who(?:so)?ever": "name the component, or 'a caller that'",
    r"anew": "'again', or 'a new ...'",
    r"for ever": "'forever', 'without limit'",
    r"meanwhile": "'concurrently', 'in the meantime', 'while ...'",
    r"otherwise": "'if not', 'else', 'by default'",
    r"tells|told": "'returns', 'reports', 'sends', 'logs'",
    r"hears?|heard": "'receives'",
    r"says|said": "'reports', 'returns', 'states', or the value itself",
    r"knows|known to nobody": "'has', 'stores', 'caches'",
    r"stands|stood": "'is', 'is connected'",
    r"rooms?": "'module', 'package', 'space'",
    r"lanes?": "'fast path'",
    r"landing": "'temporary file'",
    r"without (?:more ado|a word)": "'by default', 'silently'",
    r"(?<!there )(?:is|are|was|were) no (?!longer\b)": "'is not'",
    r"of (?:ours|his own)": "'our own', 'its own'",
    r"had better": "'should'",
}
PATTERNS = [
    (re.compile(rf"(?<![^\W_])(?:{word})(?![^\W_])", re.IGNORECASE), instead)
    for word, instead in WORDS.items()
]

CHECKED = ("src", "docs", "examples", "scripts", "fuzz", "benchmarks", "tests/support",
           "tests/README.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
           ".github")  # fmt: skip
SUFFIXES = {".py", ".pyi", ".md", ".mjs", ".yml"}


def checked_files() -> Iterator[Path]:
    for name in CHECKED:
        path = ROOT / name
        files = path.rglob("*") if path.is_dir() else [path]
        yield from (each for each in sorted(files) if each.is_file() and each.suffix in SUFFIXES)


def problems(path: Path) -> Iterator[str]:
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for pattern, instead in PATTERNS:
            if match := pattern.search(line):
                yield f"{shown}:{number}: {match[0]!r}: write {instead}"


def main(arguments: list[str]) -> int:
    files = [Path(each) for each in arguments] or list(checked_files())
    found = [
        problem for path in files if path.resolve() != Path(__file__) for problem in problems(path)
    ]
    print("\n".join(found) if found else f"{len(files)} files: no ruled-out words")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
