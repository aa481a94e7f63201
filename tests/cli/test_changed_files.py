"""put, cp and mv of files that change while they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.file_changes import CHANGES, Change
from tests.support.samples import some_bytes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(some_bytes(3_000_000))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("arguments", [["put"], ["put", "--resume"], ["cp"], ["mv"]])
def test_changed_file_is_not_stored(
    cli: Cli,
    bucket: str,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    change: Change,
) -> None:
    """The commands stored bytes of both versions, with exit code 0."""
    monkeypatch.setenv("JETSTOW_HOME", str(path.parent / "home"))
    cli.run("put", "-", f"{bucket}/a", stdin=b"old")
    changes = [change]

    @contextmanager
    def progress(*_: Any, **__: Any) -> Iterator[Callable[..., None]]:
        yield lambda *_: changes.pop()(path) if changes else None

    monkeypatch.setattr("jetstow.cli.progress.progress", progress)
    message = cli.error(errors.CONFLICT, *arguments, "./file", f"{bucket}/a")
    assert message == f"object 'a' in bucket {bucket!r}: file 'file' changed while it was read"
    assert path.exists()
    assert cli.chunks(bucket) == 1
    assert cli.out("cat", f"{bucket}/a") == "old"
