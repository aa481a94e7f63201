"""The first bytes of an object as text, as JSON or as a hex dump."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from jetstow.cli.render import format_size

if TYPE_CHECKING:
    from jetstow import ObjectInfo, ObjectStore

Form: TypeAlias = Literal["text", "json", "hex"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

# The bytes that are read, and those that a hex dump has.
PREVIEW_SIZE: Final = 64 * 1024
_HEX_SIZE: Final = 16 * 1024
_WIDE: Final = 16
_HEX_CELLS: Final = 8 + 4 * _WIDE + 1


@dataclass(frozen=True)
class Preview:
    """The first bytes of an object of `size` bytes."""

    data: bytes
    size: int
    content_type: str

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are there."""
        return len(self.data) >= self.size

    @property
    def form(self) -> Form:
        """The form that suits the bytes."""
        if self._text() is None:
            return "hex"
        return "json" if self._json() is not None else "text"

    def title(self, form: Form) -> str:
        """Return the form and how much of the object it shows."""
        part = "" if self.is_whole else f", first {format_size(len(self.data))}"
        return f"Preview: {form}{part} of {format_size(self.size)}"

    def lines(self, form: Form, width: int = 80) -> list[str]:
        """Return the bytes in a form. Text that is not UTF-8, or not JSON, is shown as it is.

        A hex dump has as many bytes in a line as fit in `width` cells: 16, or 8.
        """
        if not self.data:
            return ["(empty)"]
        if form == "hex":
            return self._hex(_WIDE if width >= _HEX_CELLS else _WIDE // 2)
        if form == "json" and (document := self._json()) is not None:
            return json.dumps(document, indent=2, ensure_ascii=False).split("\n")
        return self.data.decode(errors="replace").replace("\r\n", "\n").split("\n")

    def _text(self) -> str | None:
        """Return the bytes as text; None if they are none."""
        if b"\0" in self.data:
            return None
        # A character may be cut at the end.
        for end in range(4):
            try:
                return self.data[: len(self.data) - end].decode()
            except UnicodeDecodeError:
                if self.is_whole:
                    return None
        return None

    def _json(self) -> object | None:
        text = self._text()
        if not self.is_whole or text is None or text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            document: object = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return document

    def _hex(self, count: int) -> list[str]:
        lines = []
        for offset in range(0, min(len(self.data), _HEX_SIZE), count):
            row = self.data[offset : offset + count]
            chars = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            lines.append(f"{offset:06x}  {row.hex(' '):<{3 * count}} {chars}")
        return lines


async def read_preview(store: ObjectStore, info: ObjectInfo) -> Preview:
    """Read the first bytes of an object; of a link, those of its target.

    Raises: what `get_range` raises.
    """
    data = await store.get_range(info.name, 0, PREVIEW_SIZE)
    size = info.size or 0
    if info.link is not None or size < len(data):
        size = len(data)
    return Preview(data, size, info.content_type or "")
