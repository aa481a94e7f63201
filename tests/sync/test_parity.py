"""Whatever the asynchronous face has, the blocking one has: names, signatures, docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import jetstow as asynchronous
import jetstow._transfer.folders as asynchronous_syncing
import jetstow.sync as blocking
import jetstow.sync.folders as blocking_syncing
from jetstow.sync.likeness import told

CLASSES = (
    "Client",
    "JetStreamContext",
    "ObjectReader",
    "ObjectStore",
    "ObjectWatcher",
    "ObjectWriter",
)
FUNCTIONS = ("backup", "connect", "jetstream", "mirror", "restore")

# What the connection's lane does to its loop; a watcher's beginning, which `watch` waits for;
# and the classes that nats-py nests in its store.
LOOPS_OWN = {
    ("Client", "receive"),
    ("Client", "send"),
    ("ObjectWatcher", "start"),
    ("ObjectStore", "ObjectResult"),
    ("ObjectStore", "ObjectStoreStatus"),
    ("ObjectStore", "ObjectWatcher"),
}

# What Python's own files say and take is what `io` says of it.
OF_IO = {
    ("ObjectReader", name)
    for name in ("close", "closed", "name", "read", "readable", "readinto", "seek", "seekable",
                 "tell", "writable")
} | {("ObjectWriter", name) for name in ("closed", "readable", "seekable", "writable")}  # fmt: skip

# Lists here, which can be awaited or iterated there; and what concerns loops.
OTHER_WORDS = {
    *OF_IO,
    ("JetStreamContext", "object_store_names"),
    ("JetStreamContext", "object_stores"),
    ("ObjectStore", "list"),
    ("", "jetstream"),
    ("", "Client"),
    ("", "JetStreamContext"),
    ("", "ObjectReader"),
    ("", "ObjectWriter"),
}

# Of nats-py's own many verbs, the blocking connection has the few that a script needs.
OF_NATS = ("close", "drain", "flush", "is_closed", "is_connected", "is_reconnecting",
           "connected_url", "max_payload")  # fmt: skip


def members() -> Iterator[tuple[str, str]]:
    """Every public method and property of ours, with the class that has it."""
    for cls in CLASSES:
        for part in getattr(asynchronous, cls).__mro__:
            if part.__module__.startswith("jetstow."):
                found = {(cls, name) for name in vars(part) if not name.startswith("_")}
                yield from found - LOOPS_OWN


MEMBERS = sorted(set(members()))


def test_there_is_something_to_compare() -> None:
    assert ("ObjectStore", "put") in MEMBERS
    assert ("Client", "jetstream") in MEMBERS
    assert len(MEMBERS) > 50


def test_every_name_is_there() -> None:
    assert set(asynchronous.__all__) <= set(blocking.__all__)
    extra = set(blocking.__all__) - set(asynchronous.__all__)
    assert extra <= {"__version__", "errors", "patterns"}
    for name in extra:
        assert getattr(blocking, name) is getattr(asynchronous, name)


@pytest.mark.parametrize("name", sorted(set(asynchronous.__all__) - {*CLASSES, *FUNCTIONS}))
def test_what_waits_for_nothing_is_the_same(name: str) -> None:
    assert getattr(blocking, name) is getattr(asynchronous, name)


@pytest.mark.parametrize("name", ["download", "upload"])
def test_folders(name: str) -> None:
    there, here = (getattr(module, name) for module in (asynchronous_syncing, blocking_syncing))
    assert list(inspect.signature(here).parameters) == list(inspect.signature(there).parameters)
    assert here.__doc__ == told(there)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    theirs, ours = getattr(asynchronous, name), getattr(blocking, name)
    assert parameters(ours) == parameters(theirs)
    assert_same_words("", name, theirs, ours)


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name: str) -> None:
    assert_same_words("", name, getattr(asynchronous, name), getattr(blocking, name))


@pytest.mark.parametrize(("cls", "name"), MEMBERS, ids=str)
def test_members(cls: str, name: str) -> None:
    theirs = inspect.getattr_static(getattr(asynchronous, cls), name)
    ours = inspect.getattr_static(getattr(blocking, cls), name, None)
    assert ours is not None, f"jetstow.sync.{cls} has no {name}"
    assert not inspect.iscoroutinefunction(ours)
    if isinstance(theirs, property):
        assert not inspect.isfunction(ours)
    elif inspect.isfunction(theirs) and (cls, name) not in OF_IO:
        assert parameters(getattr(blocking, cls), name) == parameters(
            getattr(asynchronous, cls), name
        )
    assert_same_words(cls, name, theirs, ours)


@pytest.mark.parametrize("name", OF_NATS)
def test_what_there_is_of_nats_py(name: str) -> None:
    assert inspect.getdoc(getattr(blocking.Client, name))
    assert hasattr(asynchronous.Client, name)


def test_no_word_of_loops_is_left() -> None:
    for cls in CLASSES:
        ours = getattr(blocking, cls)
        for thing in (ours, *vars(ours).values()):
            text = thing.__doc__ or ""
            for word in ("await", "async "):
                assert word not in text or "asynchronous" in text, (cls, thing, text)


def parameters(owner: Any, name: str | None = None) -> list[tuple[str, Any, Any]]:
    """Names, kinds and defaults; `self` left out."""
    function = owner if name is None else getattr(owner, name)
    found = [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
    return found[1:] if name is not None and found and found[0][0] == "self" else found


def assert_same_words(cls: str, name: str, theirs: object, ours: object) -> None:
    said = inspect.getdoc(ours)
    if (cls, name) in OTHER_WORDS:
        assert said or (cls, name) in OF_IO
    elif getattr(theirs, "__doc__", None):
        assert said == inspect.cleandoc(told(theirs))
