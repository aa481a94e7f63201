"""The mapping of object headers: it reads as nats-py's dict, and keeps all values."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from jetstow import ObjectHeaders, ObjectInfo

SEVERAL = {"a": ["x", "y"], "b": "z", "c": ["q"], "none": []}


@pytest.fixture
def headers() -> ObjectHeaders:
    return ObjectHeaders(SEVERAL)


def test_first_value_and_all_values(headers: ObjectHeaders) -> None:
    assert (headers["a"], headers["b"], headers["c"], headers["none"]) == ("x", "z", "q", "")
    assert (headers.get("a"), headers.get("no"), headers.get("no", "d")) == ("x", None, "d")
    assert headers.get_all("a") == ["x", "y"]
    assert headers.get_all("b") == ["z"]
    assert headers.get_all("none") == headers.get_all("no") == []
    with pytest.raises(KeyError):
        _ = headers["A"]


def test_equal_to_strings_and_lists() -> None:
    one = ObjectHeaders({"a": ["x"]})
    assert one == {"a": "x"}
    assert one == {"a": "x"}
    assert one == {"a": ["x"]} == one
    assert one == ObjectHeaders({"a": "x"})
    assert not one != {"a": "x"}  # noqa: SIM202
    assert one != {"a": "y"}
    assert one != {"a": "x", "b": "x"}
    assert one != {}
    assert one != "a"
    assert ObjectHeaders() == {}


def test_equality_with_several_values(headers: ObjectHeaders) -> None:
    """A string is what `headers[name]` returns. Lists and headers are compared as a whole."""
    assert headers == SEVERAL
    assert headers == {"a": "x", "b": "z", "c": "q", "none": ""}
    assert headers != SEVERAL | {"a": ["x"]}
    assert headers != ObjectHeaders(SEVERAL | {"a": "x"})
    assert headers == ObjectHeaders(headers) == headers.copy()


DUPLICATES: dict[str, Callable[[ObjectHeaders], Any]] = {
    "pickle": lambda headers: pickle.loads(pickle.dumps(headers)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "method": ObjectHeaders.copy,
    "pairs": lambda headers: ObjectHeaders(headers.items()),
    "dict": lambda headers: ObjectHeaders(dict(headers)),
    "unpacked": lambda headers: ObjectHeaders({**headers}),
    "merged": lambda headers: ObjectHeaders({} | headers),
    "json": lambda headers: ObjectHeaders(json.loads(json.dumps(headers))),
    "msgspec": lambda headers: ObjectHeaders(msgspec.json.decode(msgspec.json.encode(headers))),
    "lists": lambda headers: ObjectHeaders(headers.to_lists()),
    "dataclass": lambda headers: dataclasses.asdict(
        ObjectInfo(name="n", bucket="b", nuid="u", headers=headers)
    )["headers"],
}


@pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)
def test_duplicate_keeps_all_values(
    duplicate: Callable[[ObjectHeaders], Any], headers: ObjectHeaders
) -> None:
    result = duplicate(headers)
    assert type(result) is ObjectHeaders
    assert result == headers
    result["a"] = "changed"
    assert headers.get_all("a") == ["x", "y"]


def test_text_forms(headers: ObjectHeaders) -> None:
    assert json.dumps(headers) == '{"a": ["x", "y"], "b": "z", "c": "q", "none": []}'
    assert repr(headers) == "ObjectHeaders({'a': ['x', 'y'], 'b': 'z', 'c': 'q', 'none': []})"
    assert list(headers) == ["a", "b", "c", "none"]
    assert len(headers) == 4
    assert "{a}".format_map(headers) == "x"


def test_changes() -> None:
    headers = ObjectHeaders({"a": "x"})
    headers["a"] = ["y"]
    headers["b"] = ["1", "2"]
    assert headers == {"a": "y", "b": ["1", "2"]}
    assert headers["a"] == "y"
    del headers["a"]
    assert headers.to_lists() == {"b": ["1", "2"]}
    with pytest.raises(TypeError):
        hash(headers)
