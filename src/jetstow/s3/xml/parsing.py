"""Parse the XML of a request body: no document type, no entities, a limited size and depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from jetstow.s3.errors import S3Error

# libxml2's own limit of the depth is 256. No document of S3 has more levels than this.
_MAX_DEPTH: Final = 16

# The largest document, except for those of operations that pass their own limit: 1,000 lifecycle
# rules with up to 46 elements each.
_MAX_ELEMENTS: Final = 50_000

# Evaluated by libxml2: handlers read the elements on the event loop, in Python.
_COUNT: Final = etree.XPath("count(//*)")
_IS_TOO_DEEP: Final = etree.XPath(f"boolean({'/*' * (_MAX_DEPTH + 1)})")


class Node:
    """An element of a document. Names are without namespace: clients send both forms."""

    __slots__ = ("_element",)

    def __init__(self, element: Any) -> None:
        self._element = element

    @property
    def name(self) -> str:
        """The name without its namespace."""
        return str(self._element.tag).rpartition("}")[2]

    @property
    def text(self) -> str:
        """The text, without surrounding white space."""
        return self.raw_text.strip()

    @property
    def raw_text(self) -> str:
        """The text as it is."""
        return str(self._element.text or "")

    def children(self, name: str | None = None) -> Iterator[Node]:
        """Yield the child elements, or those with a name."""
        for child in self._element.iterchildren(etree.Element):
            node = Node(child)
            if name is None or node.name == name:
                yield node

    def child(self, name: str) -> Node | None:
        """Return the first child element with a name, or None."""
        return next(self.children(name), None)

    def value(self, name: str) -> str | None:
        """Return the text of a child element, or None if there is none."""
        child = self.child(name)
        return None if child is None else child.text

    def values(self) -> dict[str, str]:
        """Return the texts of the child elements by name: of those with one name, the first."""
        values: dict[str, str] = {}
        for child in self.children():
            values.setdefault(child.name, child.text)
        return values

    def raw_value(self, name: str) -> str | None:
        """Return the text of a child element as it is: keys may begin with white space."""
        child = self.child(name)
        return None if child is None else child.raw_text

    def required(self, name: str) -> str:
        """Return the text of a child element. Raises: `S3Error` (MalformedXML: no such child)."""
        value = self.value(name)
        if value is None:
            raise S3Error("MalformedXML", f"The element {self.name} needs a {name}.")
        return value

    def attribute(self, name: str) -> str | None:
        """Return an attribute by its name without namespace, or None."""
        for key, value in self._element.attrib.items():
            if etree.QName(key).localname == name:
                return str(value)
        return None


def parse_xml(data: bytes, root: str, max_elements: int = _MAX_ELEMENTS) -> Node:
    """Parse a document whose root element has a name.

    Raises: `S3Error` (MalformedXML: also for more than `max_elements`).
    """
    # A parser of its own for each document: libxml2 keeps names in the parser's dictionary.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        tree = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise S3Error("MalformedXML") from None
    if tree is None or tree.getroottree().docinfo.doctype:
        raise S3Error("MalformedXML")
    if _COUNT(tree) > max_elements or _IS_TOO_DEEP(tree):
        raise S3Error("MalformedXML")
    node = Node(tree)
    if node.name != root:
        raise S3Error("MalformedXML", f"The root element must be {root}, not {node.name}.")
    return node
