"""The rules of the kernel that the embedded server's lock protocol is built on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jetstow._embedded.file_lock import AbandonedError, FileLock, Patience
from jetstow.errors import EmbeddedServerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_many_share_and_the_last_can_have_it_alone(path: Path) -> None:
    with FileLock(path) as first, FileLock(path) as second:
        assert first.try_shared()
        assert second.try_shared()
        assert not first.try_exclusive()
        # The refused one has lost its share, which is how it leaves.
        assert second.try_exclusive()


def test_a_lock_held_alone_is_shared_by_none(path: Path) -> None:
    with FileLock(path) as holder, FileLock(path) as visitor:
        assert holder.try_exclusive()
        assert not visitor.try_shared()
        holder.close()
        assert visitor.try_shared()


def test_the_file_is_private_and_stays(path: Path) -> None:
    with FileLock(path) as lock:
        assert lock.try_exclusive()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_to_look_at_is_not_created(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(path, create=False)
    assert not path.exists()


def test_a_deleted_file_is_noticed(path: Path) -> None:
    with FileLock(path) as lock:
        assert lock.in_place()
        path.unlink()
        assert not lock.in_place()
        path.touch()
        assert not lock.in_place()


def test_an_heir_keeps_the_lock(path: Path) -> None:
    lock = FileLock(path)
    assert lock.try_exclusive()
    heir = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.fd,),
    )
    lock.bequeath()
    with FileLock(path) as visitor:
        assert not visitor.try_shared()
        heir.communicate()
        assert visitor.try_shared()


def test_a_program_started_beside_inherits_nothing(path: Path) -> None:
    with FileLock(path) as lock, FileLock(path) as visitor:
        assert lock.try_exclusive()
        with subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        ):
            lock.close()
            assert visitor.try_exclusive()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_no_part_in_the_lock(path: Path) -> None:
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
    with FileLock(path) as visitor:
        # What the child does with its copy takes nothing away from the parent,
        assert not visitor.try_shared()
        # and a parent that is killed, which closes without unlocking, leaves nothing locked.
        lock.bequeath()
        assert visitor.try_shared()
    os.write(to_child[1], b".")
    os.waitpid(child, 0)
    for end in (*to_child, *to_parent):
        os.close(end)


def test_waiting_ends_when_the_lock_is_free(path: Path) -> None:
    with FileLock(path) as holder, FileLock(path) as visitor:
        assert holder.try_exclusive()
        waiting = threading.Thread(target=visitor.wait_shared, args=(Patience(30),))
        waiting.start()
        holder.close()
        waiting.join()
        with FileLock(path) as another:
            assert not another.try_exclusive()


def test_waiting_ends_with_patience(path: Path) -> None:
    with FileLock(path) as holder, FileLock(path) as visitor:
        assert holder.try_exclusive()
        with pytest.raises(EmbeddedServerError, match=r"another process has kept .*a\.lock"):
            visitor.wait_exclusive(Patience(0))


def test_waiting_ends_when_nobody_wants_it_any_more(path: Path) -> None:
    abandoned = threading.Event()
    abandoned.set()
    with FileLock(path) as holder, FileLock(path) as visitor:
        assert holder.try_exclusive()
        with pytest.raises(AbandonedError):
            visitor.wait_exclusive(Patience(30, abandoned))
