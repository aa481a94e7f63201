"""The S3 errors that exceptions become."""

from __future__ import annotations

import nats.errors
import nats.js.errors
import pytest

from jetstow.s3.errors import to_s3_error


@pytest.mark.parametrize(
    "error",
    [
        nats.errors.TimeoutError(),
        nats.errors.NoRespondersError(),
        nats.js.errors.ServiceUnavailableError(),
    ],
)
def test_no_answer_of_nats(error: Exception) -> None:
    """Notifications were answered with 500 if their consumer was created without a leader."""
    assert to_s3_error(error).code == "ServiceUnavailable"
