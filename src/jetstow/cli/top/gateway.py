"""The metrics of an S3 gateway, from its admin address."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import SplitResult, urlsplit

from jetstow.cli.errors import CliError, UsageError
from jetstow.cli.top.sample import GatewayState, OperationState

_TIMEOUT: Final = 5.0
_MAX_SIZE: Final = 16 * 1024 * 1024
_ERROR_STATUS: Final = 400


class GatewayError(CliError, ConnectionError):
    """The admin address did not return the metrics of a gateway."""


class GatewayMetrics:
    """Reads the metrics below an `--admin` URL."""

    def __init__(self, url: str) -> None:
        self._url = url if "://" in url else f"http://{url}"
        try:
            self._parts = urlsplit(self._url)
            self._port = self._parts.port
        except ValueError as error:
            raise UsageError(f"--admin {url!r} is not a URL: {error}") from error
        if self._parts.scheme not in ("http", "https") or not self._parts.hostname:
            raise UsageError(f"--admin {url!r} is not a URL such as http://127.0.0.1:9001")

    async def read(self) -> GatewayState:
        """Return the state of the gateway. Raises: `GatewayError`."""
        try:
            text = await asyncio.to_thread(self._fetch)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise GatewayError(f"--admin {self._url}: {reason}") from error
        try:
            return parse(text)
        except ValueError as error:
            raise GatewayError(f"--admin {self._url}: {error}") from error

    def _fetch(self) -> str:
        parts: SplitResult = self._parts
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        with closing(kind(parts.hostname or "", self._port, timeout=_TIMEOUT)) as connection:
            path = parts.path.rstrip("/").removesuffix("/metrics")
            connection.request("GET", f"{path}/metrics")
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise GatewayError(f"GET {path}/metrics: {response.status} {response.reason}")
            return response.read(_MAX_SIZE).decode(errors="replace")


def parse(text: str) -> GatewayState:
    """Return the state of a gateway from its metrics in the text format of Prometheus.

    Raises: `ValueError` (they are not those of a gateway).
    """
    totals: dict[str, float] = {}
    requests: dict[str, int] = {}
    errors: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for name, labels, value in _samples(text):
        operation = labels.get("operation", "")
        if name == "jetstow_s3_requests_total":
            requests[operation] = requests.get(operation, 0) + int(value)
            if int(labels.get("status", "0")) >= _ERROR_STATUS:
                errors[operation] = errors.get(operation, 0) + int(value)
        elif name == "jetstow_s3_request_seconds_sum":
            seconds[operation] = value
        elif name.startswith("jetstow_s3_") and not labels:
            totals[name] = value
    if "jetstow_s3_requests_in_progress" not in totals:
        raise ValueError("there are no metrics of an S3 gateway: give the address of serve --admin")
    return GatewayState(
        int(totals["jetstow_s3_requests_in_progress"]),
        int(totals.get("jetstow_s3_received_bytes_total", 0)),
        int(totals.get("jetstow_s3_sent_bytes_total", 0)),
        {
            name: OperationState(name, count, errors.get(name, 0), seconds.get(name, 0.0))
            for name, count in requests.items()
        },
    )


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    from prometheus_client.parser import text_string_to_metric_families

    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value
