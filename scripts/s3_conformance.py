"""Write docs/tools/s3-conformance.md from a run of the tests of the S3 gateway.

    python scripts/s3_conformance.py [pytest's arguments]

Records which operations the gateway ran or refused in each test. The page is written if all pass.
`tests/s3/test_conformance.py` checks that the page lists all routes, and tests that exist.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "tools" / "s3-conformance.md"
CLIENTS: Final = {
    "test_aws_cli.py": "aws",
    "test_boto3.py": "boto3",
    "test_curl.py": "curl",
    "test_delta.py": "delta-rs",
    "test_minio.py": "minio-py",
    "test_obstore.py": "obstore",
    "test_polars.py": "polars",
    "test_pyarrow.py": "pyarrow",
    "test_pyiceberg.py": "pyiceberg",
    "test_rclone.py": "rclone",
    "test_restic.py": "restic",
    "test_s3cmd.py": "s3cmd",
    "test_s3fs.py": "s3fs",
}
MAX_TESTS: Final = 2

_HEAD: Final = """\
# S3 conformance

The operations of the [S3 gateway](../guides/s3.md). Each has tests in `tests/s3`, with real
clients and real servers. The last columns name the clients that used the operation successfully
in a run of the tests, and tests that show how it behaves.

<!-- Written by scripts/s3_conformance.py from a run of tests/s3: do not edit. -->

## Implemented

| operation | clients | tests |
| --- | --- | --- |
"""
_NOT_IMPLEMENTED: Final = """
## Not implemented

The gateway answers requests for these features as S3 does for a bucket that does not use them.
Requests that would set them up are refused. Nothing is accepted and ignored.

| operation | answer | tests |
| --- | --- | --- |
"""


class Recorder:
    """A plugin of pytest that records the operations of each test, with their answers."""

    def __init__(self) -> None:
        self.operations: dict[str, set[tuple[str, str]]] = {}
        self._current: set[tuple[str, str]] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the operations of a test and of its fixtures."""
        logger = logging.getLogger("jetstow.s3.access")
        level, self._current = logger.level, set()
        handler = _Handler(self._current)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        try:
            result = yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
        name = f"{item.path.name}::{item.name.partition('[')[0]}"
        self.operations.setdefault(name, set()).update(self._current)
        return result


class _Handler(logging.Handler):
    def __init__(self, found: set[tuple[str, str]]) -> None:
        super().__init__()
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        """Record the operation and the status, or the code of the error."""
        words = record.getMessage().split(" ")
        operation, status, error = words[4], words[7], words[8]
        self._found.add((operation, status if error == "-" else f"{status} {error}"))


def render(operations: dict[str, set[tuple[str, str]]]) -> str:
    """Return the page."""
    # Imported late: pytest rewrites the assertions of modules that are not imported yet.
    from jetstow.s3.not_implemented_routes import NOT_IMPLEMENTED_ROUTES  # noqa: PLC0415
    from jetstow.s3.routes import ROUTES  # noqa: PLC0415

    not_implemented = {route.operation for route in NOT_IMPLEMENTED_ROUTES}
    succeeded: dict[str, list[str]] = defaultdict(list)
    answers: dict[str, set[str]] = defaultdict(set)
    for test, found in operations.items():
        for operation, status in found:
            answers[operation].add(status)
            if status[0] in "23" or operation in not_implemented:
                succeeded[operation].append(test)
    lines = [_HEAD]
    for operation in sorted({route.operation for route in ROUTES} - not_implemented):
        tests = succeeded[operation]
        files = sorted({test.partition("::")[0] for test in tests})
        clients = ", ".join(CLIENTS[file] for file in files if file in CLIENTS)
        lines.append(f"| {operation} | {clients} | {_evidence(tests, operations)} |\n")
    lines.append(_NOT_IMPLEMENTED)
    for operation in sorted(not_implemented):
        answer = ", ".join(f"`{status}`" for status in sorted(answers[operation])[:2])
        evidence = _evidence(succeeded[operation], operations)
        lines.append(f"| {operation} | {answer} | {evidence} |\n")
    return "".join(lines)


def _evidence(tests: list[str], operations: dict[str, set[tuple[str, str]]]) -> str:
    """Return the tests that run the fewest other operations: they are about this one."""
    chosen = sorted(set(tests), key=lambda test: (len(operations[test]), test))[:MAX_TESTS]
    return ", ".join(f"`{test}`" for test in chosen)


def main() -> int:
    """Run the tests, write the page, and return pytest's exit code."""
    recorder = Recorder()
    arguments = sys.argv[1:] or ["-q", str(ROOT / "tests" / "s3")]
    code = int(pytest.main(arguments, plugins=[recorder]))
    if code == 0:
        PAGE.write_text(render(recorder.operations), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
