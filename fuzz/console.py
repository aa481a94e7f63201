"""What the console reads from a browser, and from names and contents of objects."""

from __future__ import annotations

from typing import Final

from fuzz.s3_signatures import KEY, KEYS, NOW
from jetstow.console.previews import Link, find_link
from jetstow.console.sessions import Token, find_token
from jetstow.console.tables import MAX_COLUMNS, MAX_ROWS, parse_csv
from jetstow.console.zip_names import archive_paths

_NOW: Final = NOW.timestamp()
_COOKIE: Final = Token(KEY, int(_NOW) + 60, "0" * 32).encode()
_LINK: Final = Link(
    KEY.access_key, int(_NOW) + 60, "b", "a.png", None, "image/png", "http://a"
).encode(KEY)


# -- tokens --------------------------------------------------------------------------------


def check_tokens(data: bytes) -> None:
    """A cookie or a link is valid only if the gateway has signed it."""
    text = data.decode("latin-1")
    for value in (text, data.decode(errors="replace")):
        token = find_token(KEYS, value, _NOW)
        assert token is None or value == _COOKIE
        found = find_link(KEYS, value, _NOW)
        assert found is None or value == _LINK


TOKEN_SEEDS: Final = (_COOKIE.encode(), _LINK.encode(), b"S0VZ.1767323045." + b"0" * 97)


# -- archives and tables -------------------------------------------------------------------


def check_archive(data: bytes) -> None:
    """Paths in an archive are different, relative, and have no parts that lead out of it."""
    names = list(dict.fromkeys(data.decode(errors="replace").split("\n")))
    paths = archive_paths(names, 0)
    assert list(paths) == names
    assert len({path.casefold() for path in paths.values()}) == len(names)
    folders = {path.casefold() + "/" for path in paths.values()}
    for path in paths.values():
        assert not set(path.split("/")) & {"", ".", ".."}
        assert not set(path) & set('\\:*?"<>|\r\n\0')
        assert not any(path.casefold()[: at + 1] in folders for at in _slashes(path))


def _slashes(path: str) -> list[int]:
    return [at for at, character in enumerate(path) if character == "/"]


def check_csv(data: bytes) -> None:
    """A table is rectangular and small."""
    for is_all in (True, False):
        table = parse_csv(data, is_all=is_all)
        assert len(table.rows) <= MAX_ROWS
        assert len(table.columns) <= MAX_COLUMNS
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert table.truncated or is_all


ARCHIVE_SEEDS: Final = (
    b"a/b\na\nA\nx?\nx*\n../../etc/passwd\ncon.txt\n/\n..",
    "é\u202e.exe\nend. \na (2)\na\nA\n".encode(),
)
CSV_SEEDS: Final = (b'a,b\n1,"x, y"\n', b"a;b\n1;2;3\n", b'"', b"a\tb\r\n\xff\t\0\r\n")
