"""Exit codes and error messages: one exit code for scripts, one line on stderr for users."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from typing import Final

from jetstow.cli.render import printable

OK: Final = 0
ERROR: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4
REFUSED: Final = 5
UNREACHABLE: Final = 6
DAMAGED: Final = 7
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

# For the help and the reference page. A broken pipe ends a command silently.
EXIT_CODES: Final = {
    OK: "success",
    ERROR: "any other error",
    USAGE: "wrong usage: an invalid name, option or value",
    NOT_FOUND: "the bucket, the object or the file does not exist",
    CONFLICT: "it exists already, is at a different revision, or is sealed",
    REFUSED: "permission denied, or the server refused the credentials",
    UNREACHABLE: "server not reachable, no JetStream, or no response in time",
    DAMAGED: "the stored bytes are damaged or lost",
    INTERRUPTED: "interrupted by Ctrl-C",
}


class CliError(Exception):
    """An error that the command line itself raises; its text is the message."""


class OutageError(CliError, ConnectionError):
    """The connection was lost, and the server did not come back in time."""


class UsageError(CliError):
    """The arguments are invalid, contradict each other, or need a confirmation."""


def exit_code(error: BaseException) -> int:
    """Return the exit code for an error."""
    return next((code for code, kinds in _exit_codes() if isinstance(error, kinds)), ERROR)


def _exit_codes() -> Iterator[tuple[int, tuple[type[BaseException], ...]]]:
    """Yield exit codes with their errors. An error may be several of them: the first one counts."""
    import nats.errors

    from jetstow import errors

    yield DAMAGED, (errors.IntegrityError,)
    yield CONFLICT, (errors.BucketSealedError, errors.RevisionMismatchError)
    yield CONFLICT, (errors.ObjectChangedError, FileExistsError)
    yield NOT_FOUND, (FileNotFoundError,)
    yield REFUSED, (PermissionError, nats.errors.AuthorizationError)
    yield UNREACHABLE, (ConnectionError, TimeoutError, errors.EmbeddedServerError)
    yield UNREACHABLE, (nats.errors.ConnectionClosedError, nats.errors.NoServersError)
    yield USAGE, (UsageError, errors.InvalidBucketNameError, errors.InvalidObjectNameError)
    yield USAGE, (errors.InvalidOptionError, errors.InvalidRangeError)


def message(error: BaseException) -> str:
    """Return the message for an error: one line, without control characters."""
    return printable(" ".join(_text(error).split()))


def _text(error: BaseException) -> str:
    import nats.errors

    from jetstow.errors import (
        InvalidOptionError,
        JetstowError,
        ObjectDeletedError,
        ObjectEncryptedError,
        TamperedError,
    )

    # The library's messages name `store.encrypted(key)`, which the command line does not have.
    if isinstance(error, ObjectEncryptedError) and "store." in str(error):
        return f"{str(error).rpartition(': ')[0]}: add --key-file with its key"
    if isinstance(error, TamperedError):
        text = str(error).replace("store.encrypted(key, allow_plain=True)", "--allow-plain")
        return text.replace("store.encrypted(key, original_bucket=...)", "--original-bucket")
    # "was deleted" alone reads like a success of rm.
    if isinstance(error, ObjectDeletedError) and str(error).endswith(" was deleted"):
        return f"there is no object {error.name!r} in bucket {error.bucket!r}: it was deleted"
    # The library's messages name the parameters; the command line has options.
    if isinstance(error, InvalidOptionError) and "deleting would remove" in str(error):
        text = str(error).replace("pass force=True", "add --force")
        return text.replace("max_delete", "--max-delete")
    if isinstance(error, JetstowError | CliError):
        return str(error)
    if isinstance(error, nats.errors.Error):
        return f"NATS: {str(error).removeprefix('nats: ')}"
    if isinstance(error, TimeoutError) and not str(error):
        return "no response in time"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{str(error.filename)!r}: {error.strerror}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"{type(error).__name__}: {error} (--verbose shows the traceback)"


def cause(error: Exception) -> str:
    """Return why a connection failed, in the words of the operating system or of NATS."""
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)
    return message(error).removeprefix("NATS: ")


def report(error: BaseException, *, verbose: bool = False) -> None:
    """Print an error on stderr: its traceback if `verbose`, its message, its notes."""
    if verbose:
        traceback.print_exception(error, file=sys.stderr)
    print_message(message(error))
    for note in notes(error):
        print_message(note)


def notes(error: BaseException) -> list[str]:
    """Return the notes of an error, such as what an interrupted transfer has kept."""
    return [printable(note) for note in getattr(error, "__notes__", ())]


def print_message(text: str) -> None:
    """Print one line on stderr."""
    if sys.stderr is not None:  # closed: `print` would write to standard output instead
        print(f"jetstow: {text}", file=sys.stderr, flush=True)
