"""The server as a process: started, found, ended."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jetstow._embedded import locate
from jetstow._embedded.file_lock import FileLock, Patience
from jetstow._embedded.home_dir import Folder
from jetstow.errors import EmbeddedServerError

TERM_SECONDS = 10.0  # for an orderly end
KILL_SECONDS = 5.0  # for the kernel, after SIGKILL
LAST_BYTES = 65_536  # of the log are enough for the last words
PROC = Path("/proc")


def alive(folder: Folder) -> bool:
    """Whether a server lives in this home: it holds `server.lock` for as long as it does."""
    try:
        lock = FileLock(folder.server, create=False)
    except FileNotFoundError:
        return False
    with lock:
        return not lock.try_shared()


def launch(folder: Folder, lock: FileLock) -> subprocess.Popen[bytes]:
    """Starts the server, which inherits `lock`, and nothing else of this process.

    It has a session of its own: Ctrl-C in a terminal ends its users, not the server under
    the others. What it says before and beside its log goes to its log.

    Raises: `EmbeddedServerError`; `OSError`.
    """
    log = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            [locate.find(), _argument(folder)],
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock.fd,),
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(log)


def reap(server: subprocess.Popen[bytes]) -> None:
    """Waits for the server's end in the background: whoever stops it, it leaves no zombie."""
    threading.Thread(target=server.wait, name="jetstow-reaper", daemon=True).start()


def discard(server: subprocess.Popen[bytes], folder: Folder) -> None:
    """Kills a server that was just started and that nobody has joined."""
    server.kill()
    server.wait(KILL_SECONDS)
    end(folder)  # of a script that did not `exec` the server, the server itself


def find_pid(folder: Folder) -> int | None:
    """The pid of this home's server, as its own command line says; None if there is none.

    Call it while the server is `alive`. Raises `EmbeddedServerError` where processes
    cannot be listed.
    """
    argument = _argument(folder)
    return next((pid for pid, last in _commands(folder.pid_hint()) if last == argument), None)


def runs(pid: int, folder: Folder) -> bool:
    """Whether that process is a server of this home."""
    argument = _argument(folder)
    return any(found == pid and last == argument for found, last in _commands(pid))


def end(folder: Folder) -> bool:
    """Ends this home's server; True if there was one.

    Raises: `EmbeddedServerError` when it does not end, or cannot be found.
    """
    if not alive(folder):
        return False
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        if _signal(folder, number, Patience(seconds)):
            return True
    which = find_pid(folder) or "not to be seen, as in another container"
    raise EmbeddedServerError(f"the server in {folder.path} does not stop; its process is {which}")


def _signal(folder: Folder, number: signal.Signals, patience: Patience) -> bool:
    """Signals the server once and waits; True when it is gone."""
    signalled = False
    while alive(folder):
        if patience.over:
            return False
        if not signalled and (pid := find_pid(folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)  # one that is paused would not see the first
            signalled = True
        patience.nap()
    return True


def end_stray(pid: int, folder: Folder) -> None:
    """Kills a server whose home was deleted, and with it its data, its pid file and its lock."""
    patience = Patience(KILL_SECONDS)
    while runs(pid, folder) and not patience.over:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        patience.nap()


def last_words(folder: Folder, since: int) -> str:
    """Why the server ended, from what it logged after the first `since` bytes of its log."""
    try:
        with folder.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(since, size - LAST_BYTES) if since <= size else 0)  # or turned over
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        lines = []
    if not any(line.strip() for line in lines) and _disk_is_full(folder):
        return "the disk is full"
    for telling in ("[FTL]", "nats-server:", "panic:", "fatal error:", "[ERR]", ""):
        said = [line for line in lines if telling in line and line.strip()]
        if said:
            words = re.sub(r"^\[\d+] \S+ \S+ \[\w+] ", "", said[-1]).strip()
            settings = folder.settings()
            return words.replace(settings.token, "***") if settings else words
    return "it said nothing"


def _argument(folder: Folder) -> str:
    # One argument, which no other program has, as an editor or a pager would have the path.
    return f"--config={folder.config}"


def _disk_is_full(folder: Folder) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(folder.path).free < 4096
    return False


def _commands(hint: int | None) -> Iterator[tuple[int, str]]:
    """Processes, each with the last argument of its command line, the hinted one first."""
    if not (PROC / "self" / "cmdline").exists():
        yield from _listed_by_ps()
        return
    if hint:
        yield hint, _last_argument(hint)
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name), _last_argument(int(entry.name))


def _last_argument(pid: int) -> str:
    try:
        arguments = (PROC / str(pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:  # it has ended, or is not ours to read
        return ""
    return os.fsdecode(arguments[-1])


def _listed_by_ps() -> Iterator[tuple[int, str]]:
    command = ["ps", "-A", "-ww", "-o", "pid=,command="]
    try:
        listing = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as cause:
        raise EmbeddedServerError(f"processes cannot be listed: {cause}") from cause
    for line in listing.splitlines():
        pid, _, words = line.strip().partition(b" ")
        # The path may have spaces; nothing follows it.
        yield int(pid), os.fsdecode(words[max(words.find(b"--config="), 0) :])
