"""A small file system for a server, which the server fills.

It is a tmpfs, so it needs root, and in a container the capability `SYS_ADMIN`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Mount a file system of `size` bytes on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "jetstow-test", str(folder)]
    result = subprocess.run(mount, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.fail(
            f"this test mounts a tmpfs, for which it needs root (in a container also "
            f"--cap-add SYS_ADMIN --security-opt apparmor=unconfined): {result.stderr.strip()}"
        )
    try:
        yield
    finally:
        # Lazy: a server that was just killed may still have files open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
