"""`jetstow.sync` has the names of `jetstow`, and its generated part is up to date."""

from __future__ import annotations

import inspect
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jetstow as asynchronous
import jetstow.sync as blocking
from jetstow.types import BlockingConnectOptions, ConnectOptions

ROOT = Path(__file__).resolve().parents[2]

GENERATED_CLASSES = ("JetStreamContext", "ObjectStore")
CLASSES = (
    "BucketIndex",
    "Client",
    "ObjectReader",
    "ObjectWatcher",
    "ObjectWriter",
    *GENERATED_CLASSES,
)
FUNCTIONS = (
    "backup", "connect", "download_folder", "jetstream", "mirror", "restore", "upload_folder",
)  # fmt: skip

# Members for the event loop, and the classes that nats-py nests in its object store.
ASYNC_ONLY = {
    ("Client", "flush_fast"),
    ("Client", "publish_fast"),
    ("Client", "request"),
    ("Client", "subscribe_fast"),
    ("ObjectReader", "stream"),
    ("ObjectStore", "ObjectResult"),
    ("ObjectStore", "ObjectStoreStatus"),
    ("ObjectStore", "ObjectWatcher"),
    ("BucketIndex", "start"),
    ("ObjectWatcher", "start"),
    ("ObjectWriter", "checkpoint"),
    ("ObjectWriter", "detach"),
    ("ObjectWriter", "expect_revision"),
}


def test_generated_file_is_up_to_date() -> None:
    script = ROOT / "scripts" / "generate_sync.py"
    result = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_generated_classes_have_no_other_verbs() -> None:
    """`--check` compares what is generated. This compares what is not."""
    for name in GENERATED_CLASSES:
        own = {member for member in vars(getattr(blocking, name)) if not member.startswith("_")}
        assert own | {"bucket"} >= {member for cls, member in MEMBERS if cls == name}
        assert {member for _, member in MEMBERS} >= own


def test_names_are_those_of_the_asynchronous_interface() -> None:
    assert set(blocking.__all__) - set(asynchronous.__all__) == {"__version__", "errors", "types"}
    assert set(asynchronous.__all__) <= set(blocking.__all__)


@pytest.mark.parametrize("name", sorted({*blocking.__all__} - {*CLASSES, *FUNCTIONS}))
def test_shared_names_are_the_same_objects(name: str) -> None:
    assert getattr(blocking, name) is getattr(asynchronous, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_the_same_arguments(name: str) -> None:
    assert parameters(getattr(blocking, name)) == parameters(getattr(asynchronous, name))


def test_connect_takes_the_same_options() -> None:
    assert BlockingConnectOptions.__optional_keys__ == ConnectOptions.__optional_keys__


def members() -> Iterator[tuple[str, str]]:
    """Return every public member of jetstow's classes, with the name of the class."""
    for cls in CLASSES:
        for part in getattr(asynchronous, cls).__mro__:
            if part.__module__.startswith("jetstow."):
                own = {(cls, name) for name in vars(part) if not name.startswith("_")}
                yield from own - ASYNC_ONLY


MEMBERS = sorted(set(members()))


def test_members_are_found() -> None:
    assert {("ObjectStore", "put"), ("Client", "jetstream")} <= set(MEMBERS)
    assert len(MEMBERS) > 50


@pytest.mark.parametrize(("cls", "name"), MEMBERS, ids=str)
def test_members_take_the_same_arguments(cls: str, name: str) -> None:
    theirs = inspect.getattr_static(getattr(asynchronous, cls), name)
    ours = inspect.getattr_static(getattr(blocking, cls), name, None)
    assert ours is not None, f"jetstow.sync.{cls} has no {name}"
    assert not inspect.iscoroutinefunction(ours)
    if isinstance(theirs, property):
        assert not inspect.isfunction(ours)
    elif inspect.isfunction(ours) and not hasattr(io.RawIOBase, name):
        assert parameters(ours)[1:] == parameters(theirs)[1:]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_public_member_has_a_docstring(cls: str) -> None:
    ours = getattr(blocking, cls)
    assert ours.__doc__
    for name, member in vars(ours).items():
        if inspect.isfunction(member) and not name.startswith("_"):
            assert member.__doc__ or hasattr(io.RawIOBase, name), name


@pytest.mark.parametrize(
    "name",
    ["close", "drain", "flush", "is_closed", "is_connected", "is_reconnecting", "connected_url",
     "max_payload"],
)  # fmt: skip
def test_client_has_basic_members_of_nats_py(name: str) -> None:
    assert hasattr(blocking.Client, name)
    assert hasattr(asynchronous.Client, name)


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    """Return the names, the kinds and the defaults of a function's parameters."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
