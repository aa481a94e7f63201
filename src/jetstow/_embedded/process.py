"""The server's process: start it, find it, stop it."""

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
from jetstow._embedded.file_lock import FileLock, Timeout
from jetstow._embedded.home_dir import HomeDir
from jetstow.errors import EmbeddedServerError

TERM_TIMEOUT = 10.0  # seconds to wait after SIGTERM
KILL_TIMEOUT = 5.0  # and after SIGKILL
LOG_TAIL_SIZE = 65_536  # the bytes of the log that are searched for an error
MIN_FREE_SPACE = 4096  # bytes; with less, the disk counts as full
PROC_DIR = Path("/proc")


def is_alive(home: HomeDir) -> bool:
    """Return whether a server runs in this home: it holds `server.lock` as long as it runs."""
    try:
        lock = FileLock(home.server_lock, create=False)
    except FileNotFoundError:
        return False
    with lock:
        return not lock.try_shared()


def start(home: HomeDir, lock: FileLock) -> subprocess.Popen[bytes]:
    """Start the server. It inherits `lock`, and no other file of this process.

    It gets its own terminal session, so Ctrl-C does not stop a server that other processes
    use. Its output before it opens its log is appended to the log.

    Raises: `EmbeddedServerError` (the binary is missing), `OSError`.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    log = os.open(home.log_file, flags, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed command
            [locate.find_binary(), _config_argument(home)],
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock.fd,),
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(log)


def reap_in_background(server: subprocess.Popen[bytes]) -> None:
    """Wait for the server's exit in a thread, so that it does not become a zombie."""
    threading.Thread(target=server.wait, name="jetstow-reaper", daemon=True).start()


def kill_started(server: subprocess.Popen[bytes], home: HomeDir) -> None:
    """Kill a server that was started and that no process has joined.

    Raises: `EmbeddedServerError` (as `stop`).
    """
    server.kill()
    server.wait(KILL_TIMEOUT)
    stop(home)  # the server is still running if `server` is a script that did not `exec` it


def find_pid(home: HomeDir) -> int | None:
    """Return the ID of the process with the server's command line; None if there is none.

    Call it while the server `is_alive`.

    Raises: `EmbeddedServerError` (the processes cannot be listed).
    """
    argument = _config_argument(home)
    processes = _list_processes(home.read_pid_file())
    return next((pid for pid, last in processes if last == argument), None)


def is_server(pid: int, home: HomeDir) -> bool:
    """Return whether a process is the server of this home.

    Raises: `EmbeddedServerError` (the processes cannot be listed).
    """
    argument = _config_argument(home)
    return any(other == pid and last == argument for other, last in _list_processes(pid))


def stop(home: HomeDir) -> bool:
    """Stop the server of this home. Return whether one was running.

    Raises: `EmbeddedServerError` (it does not exit, or its process is not visible).
    """
    if not is_alive(home):
        return False
    for number, seconds in ((signal.SIGTERM, TERM_TIMEOUT), (signal.SIGKILL, KILL_TIMEOUT)):
        if _signal_and_wait(home, number, Timeout(seconds)):
            return True
    if pid := find_pid(home):
        raise EmbeddedServerError(
            f"the embedded server in {home.path} does not exit: kill process {pid}"
        )
    raise EmbeddedServerError(
        f"the embedded server in {home.path} cannot be stopped: its process is not visible, for "
        "example because it runs in another container; stop it there"
    )


def _signal_and_wait(home: HomeDir, number: signal.Signals, timeout: Timeout) -> bool:
    """Send the server a signal once. Return whether it exits within the timeout."""
    is_signalled = False
    while is_alive(home):
        if timeout.is_expired:
            return False
        if not is_signalled and (pid := find_pid(home)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)  # a stopped process does not handle SIGTERM
            is_signalled = True
        timeout.sleep()
    return True


def kill_orphan(pid: int, home: HomeDir) -> None:
    """Kill a server whose home was deleted, and with it its data, pid file and lock."""
    timeout = Timeout(KILL_TIMEOUT)
    while is_server(pid, home) and not timeout.is_expired:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        timeout.sleep()


def failure_reason(home: HomeDir, log_offset: int) -> str:
    """Return why the server exited, from its log after the first `log_offset` bytes."""
    try:
        with home.log_file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            is_rotated = size < log_offset
            log.seek(0 if is_rotated else max(log_offset, size - LOG_TAIL_SIZE))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        lines = []
    if not any(line.strip() for line in lines) and _is_disk_full(home):
        return "the disk is full"
    for marker in ("[FTL]", "nats-server:", "panic:", "fatal error:", "[ERR]", ""):
        matching = [line for line in lines if marker in line and line.strip()]
        if matching:
            message = re.sub(r"^\[\d+] \S+ \S+ \[\w+] ", "", matching[-1]).strip()
            settings = home.read_settings()
            return message.replace(settings.token, "***") if settings else message
    return "its log has no error"


def _config_argument(home: HomeDir) -> str:
    # One argument that identifies the server: an editor would have the path without "--config=".
    return f"--config={home.config_file}"


def _is_disk_full(home: HomeDir) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(home.path).free < MIN_FREE_SPACE
    return False


def _list_processes(first: int | None) -> Iterator[tuple[int, str]]:
    """Yield each process ID with the last argument of its command line, `first` first."""
    if not (PROC_DIR / "self" / "cmdline").exists():
        yield from _list_with_ps()
        return
    if first:
        yield first, _last_argument(first)
    for entry in PROC_DIR.iterdir():
        if entry.name.isdigit():
            yield int(entry.name), _last_argument(int(entry.name))


def _last_argument(pid: int) -> str:
    try:
        arguments = (PROC_DIR / str(pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:  # it has exited, or belongs to another user
        return ""
    return os.fsdecode(arguments[-1])


def _list_with_ps() -> Iterator[tuple[int, str]]:
    command = ["ps", "-A", "-ww", "-o", "pid=,command="]
    try:
        output = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as cause:
        raise EmbeddedServerError(f"the embedded server cannot list processes: {cause}") from cause
    for line in output.splitlines():
        pid, _, command_line = line.strip().partition(b" ")
        # The path may contain spaces. It is the end of the command line.
        yield int(pid), os.fsdecode(command_line[max(command_line.find(b"--config="), 0) :])
