"""restic: a repository in a bucket: backups, restore, forget with prune, check of all data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.s3.clients.conftest import Run
    from tests.support.gateway import RunningGateway


@pytest.fixture
def restic(run: Run, gateway: RunningGateway, environment: dict[str, str], s3_bucket: str) -> Run:
    environment |= {
        "RESTIC_REPOSITORY": f"s3:{gateway.url}/{s3_bucket}/backups",
        "RESTIC_PASSWORD": "password",
        "RESTIC_PROGRESS_FPS": "0",
    }
    return lambda *arguments, **options: run("restic", *arguments, **options)


def test_restic_backup_and_restore(
    restic: Run, s3: Any, s3_bucket: str, tree: Path, tmp_path: Path
) -> None:
    restic("init")
    restic("init", code=1)  # it sees that there is a repository
    restic("backup", str(tree))
    (tree / "a b+c.txt").write_bytes(b"changed")
    restic("backup", str(tree))
    assert len(json.loads(restic("snapshots", "--json"))) == 2
    restic("forget", "--keep-last=1", "--prune")
    restic("check", "--read-data")
    assert len(json.loads(restic("snapshots", "--json"))) == 1
    restic("restore", "latest", "--target", str(tmp_path / "back"))
    for path in (path for path in tree.rglob("*") if path.is_file()):
        restored = tmp_path / "back" / path.relative_to("/")
        assert restored.read_bytes() == path.read_bytes()
    # Locks are objects: the last command has removed its own.
    assert s3.list_objects_v2(Bucket=s3_bucket, Prefix="backups/locks/")["KeyCount"] == 0
