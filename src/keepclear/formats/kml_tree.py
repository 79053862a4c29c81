"""The parts of a parsed KML tree, by name and whatever namespace they are in.

KML 2.0 to 2.3 have five namespaces, and many files have none or the wrong one; the names never clash.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

__all__ = ["child", "children", "flag", "local", "text"]


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *names: str) -> Iterator[Element]:
    """The children with one of these names, in their order."""
    return (one for one in element if local(one) in names)


def child(element: Element, *names: str) -> Element | None:
    """The first child with one of these names."""
    return next(children(element, *names), None)


def text(element: Element, *names: str) -> str:
    """The text of the first child with one of these names, without blanks around it; empty where there is none."""
    found = child(element, *names)
    return "" if found is None else (found.text or "").strip()


def flag(element: Element, name: str) -> bool:
    """Whether the child `name` says true."""
    return text(element, name).casefold() in ("1", "true")
