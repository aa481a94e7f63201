"""The keyword options of `connect`, `jetstream` and `create_object_store`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from nats.aio.client import Client as NatsClient
from nats.js.client import JetStreamContext as NatsContext

import jetstow
from jetstow._core.protocol.option_names import check_option_names
from jetstow.errors import InvalidOptionError
from jetstow.types import BucketOptions, ConnectOptions, JetStreamOptions


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def test_connect_options_are_those_of_nats_py() -> None:
    assert ConnectOptions.__optional_keys__ == parameters(NatsClient.connect) - {"servers"}


def test_jetstream_options_are_those_of_nats_py_and_one_more() -> None:
    options = parameters(NatsContext.__init__) - {"conn"} | {"subject_prefix"}
    assert JetStreamOptions.__optional_keys__ == options


def test_bucket_options_are_the_fields_of_bucket_config() -> None:
    names = {field.name for field in dataclasses.fields(jetstow.BucketConfig)}
    assert BucketOptions.__optional_keys__ == names - {"bucket"}


def test_no_option_is_required() -> None:
    for options in (BucketOptions, ConnectOptions, JetStreamOptions):
        assert options.__required_keys__ == frozenset()


@pytest.mark.parametrize("method", ["create", "update", "create_or_update"])
async def test_unknown_bucket_option(method: str) -> None:
    """It raises before any request: this client is not connected."""
    js = jetstow.Client().jetstream()
    options: dict[str, Any] = {"replica": 3}
    with pytest.raises(InvalidOptionError, match="'replica': did you mean 'replicas'") as caught:
        await getattr(js, f"{method}_object_store")("a", **options)
    assert caught.value.bucket == "a"


def test_unknown_jetstream_option() -> None:
    options: dict[str, Any] = {"timout": 3}
    for jetstream in (
        jetstow.Client().jetstream,
        lambda **opts: jetstow.jetstream(NatsClient(), **opts),
    ):
        with pytest.raises(InvalidOptionError, match="no option 'timout': did you mean 'timeout'"):
            jetstream(**options)


def test_check_option_names() -> None:
    check_option_names("f()", [], {"a"})
    check_option_names("f()", ["a"], {"a"})
    with pytest.raises(InvalidOptionError, match=r"f\(\) has no option 'xyz': it has a, b"):
        check_option_names("f()", ["a", "xyz"], {"b", "a"})
    # "xserver" has more letters in common.
    with pytest.raises(InvalidOptionError, match="did you mean 'servers_of'"):
        check_option_names("f()", ["server"], {"xserver", "servers_of"})
