"""Text in terminal cells. Names and contents of objects are hostile: see `printable`."""

from __future__ import annotations

from rich.cells import chop_cells, set_cell_size

from jetstow.cli.render import display_width, printable

_ELLIPSIS = "…"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a text in exactly `width` cells: padded, or cut with an ellipsis at its end."""
    if width < 1:
        return ""
    # An escaped text is not shorter, and a character has at most two cells.
    text = printable(text[: 2 * width + 1])
    length = display_width(text)
    if length > width:
        return set_cell_size(text, width - 1) + _ELLIPSIS
    padding = " " * (width - length)
    return padding + text if right else text + padding


def fit_end(text: str, width: int) -> str:
    """Return a text in at most `width` cells, cut at its start: the end of a path counts."""
    text = printable(text)
    if display_width(text) <= width:
        return text
    kept, used = [], 1
    for char in reversed(text):
        used += display_width(char)
        if used > width:
            break
        kept.append(char)
    return _ELLIPSIS + "".join(reversed(kept))


def wrap(lines: list[str], width: int) -> list[str]:
    """Return lines of at most `width` cells."""
    wrapped: list[str] = []
    for line in lines:
        text = printable(line.expandtabs(4))
        wrapped += chop_cells(text, width) or [""]
    return wrapped
