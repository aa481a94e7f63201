"""File locks: sharing, inheritance, fork, and waits with a timeout."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jetstow._embedded.file_lock import AcquireCancelledError, FileLock, Timeout
from jetstow.errors import EmbeddedServerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_failed_upgrade_releases_the_share(path: Path) -> None:
    with FileLock(path) as first, FileLock(path) as second:
        assert first.try_shared()
        assert second.try_shared()
        assert not first.try_exclusive()
        assert second.try_exclusive()


def test_exclusive_lock_excludes_shared_locks(path: Path) -> None:
    with FileLock(path) as owner, FileLock(path) as other:
        assert owner.try_exclusive()
        assert not other.try_shared()
        owner.close()
        assert other.try_shared()


def test_lock_file_is_private_and_kept(path: Path) -> None:
    with FileLock(path) as lock:
        assert lock.try_exclusive()
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_is_not_created_without_create(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(path, create=False)
    assert not path.exists()


def test_deleted_and_replaced_file(path: Path) -> None:
    with FileLock(path) as lock:
        assert lock.is_at_path()
        path.unlink()
        assert not lock.is_at_path()
        path.touch()
        assert not lock.is_at_path()


def test_child_process_keeps_an_inherited_lock(path: Path) -> None:
    lock = FileLock(path)
    assert lock.try_exclusive()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.fd,),
    )
    lock.close_without_unlock()
    with FileLock(path) as other:
        assert not other.try_shared()
        child.communicate()
        assert other.try_shared()


def test_other_child_processes_do_not_inherit_the_lock(path: Path) -> None:
    with FileLock(path) as lock, FileLock(path) as other:
        assert lock.try_exclusive()
        with subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        ):
            lock.close()
            assert other.try_exclusive()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_child_has_no_share_of_the_lock(path: Path) -> None:
    lock = FileLock(path)
    assert lock.try_exclusive()
    to_child, to_parent = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        closed = lock.fd == -1
        lock.close()
        os.write(to_parent[1], b"y" if closed else b"n")
        os.read(to_child[0], 1)
        os._exit(0)
    assert os.read(to_parent[0], 1) == b"y"
    with FileLock(path) as other:
        # The child has closed its copy, and the parent still has the lock.
        assert not other.try_shared()
        # A killed parent closes its file without unlocking it. The child does not keep the lock.
        lock.close_without_unlock()
        assert other.try_shared()
    os.write(to_child[1], b".")
    os.waitpid(child, 0)
    for end in (*to_child, *to_parent):
        os.close(end)


def test_wait_until_the_lock_is_free(path: Path) -> None:
    with FileLock(path) as owner, FileLock(path) as other:
        assert owner.try_exclusive()
        waiter = threading.Thread(target=other.wait_shared, args=(Timeout(30),))
        waiter.start()
        owner.close()
        waiter.join()
        with FileLock(path) as third:
            assert not third.try_exclusive()


def test_wait_with_expired_timeout(path: Path) -> None:
    with FileLock(path) as owner, FileLock(path) as other:
        assert owner.try_exclusive()
        with pytest.raises(EmbeddedServerError, match=r"another process has locked .*a\.lock"):
            other.wait_exclusive(Timeout(0))


def test_cancelled_wait(path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with FileLock(path) as owner, FileLock(path) as other:
        assert owner.try_exclusive()
        with pytest.raises(AcquireCancelledError):
            other.wait_exclusive(Timeout(30, cancelled))
