"""Replies of the JetStream API."""

from __future__ import annotations

import json

import pytest
from nats.aio.msg import Msg

from jetstow._core.protocol.api_errors import NO_LEADER, decode_stream_info
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import JetStreamUnavailableError


@pytest.mark.parametrize("cluster", [{}, {"name": "c", "replicas": []}, {"leader": ""}])
def test_info_of_a_server_without_the_leader(cluster: dict[str, object]) -> None:
    with pytest.raises(JetStreamUnavailableError, match="'b': the stream has no leader") as raised:
        decode_stream_info(ErrorContext("b"), reply({"state": {}, "cluster": cluster}))
    assert raised.value.err_code == NO_LEADER


@pytest.mark.parametrize("info", [{"cluster": {"leader": "a"}}, {"cluster": None}, {}])
def test_info_of_the_leader(info: dict[str, object]) -> None:
    assert decode_stream_info(ErrorContext("b"), reply(info)) == info


def reply(body: dict[str, object]) -> Msg:
    return Msg(_client=None, data=json.dumps(body).encode())  # type: ignore[arg-type]
