"""Exit codes and error messages: one exit code for scripts, one line on stderr for users."""

from __future__ import annotations

import os
import re
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


# What the library's messages name, at their beginning or end, where no object's name can be.
_OPTIONS: Final = tuple(
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        (r"^another (get|put)_file with resume ", r"another \1 with --resume "),
        (r"\bwith resume( to continue)?$", r"with --resume\1"),
        (r"\bpass force=True$", "add --force"),
        (
            r"\bmax_delete( \(\d+\): nothing was changed; .* raise )max_delete$",
            r"--max-delete\1--max-delete",
        ),
        (
            r": open it with object_store\(\), or change it with create_or_\w+\(\)$",
            ": use it as it is, or change it with jetstow edit",
        ),
        (r"^max_chunk_size of ", "--chunk-size of "),
        (r"\bset (?=subject_prefix( if the account imports [a-z ]*)?$)", "use Python and set "),
        (r"\bupdate_object_store\('([\w-]+)', versioned=True\)$", r"jetstow edit \1 --versioned"),
        (r"\bstore\.encrypted\(key, allow_plain=True\)$", "--allow-plain"),
        (r"\bstore\.encrypted\(key, original_bucket=\.\.\.\)$", "--original-bucket"),
    )
)


class CliError(Exception):
    """An error that the command line itself raises; its text is the message."""


class OutageError(CliError, ConnectionError):
    """The connection was lost, and the server did not come back in time."""


class UsageError(CliError):
    """The arguments are invalid, contradict each other, or need a confirmation."""


def missing_packages(needing: str, extra: str, error: ImportError) -> UsageError:
    """Return the error of a command, or an option, whose packages are not installed."""
    return UsageError(f"{needing} needs more packages: pip install 'jetstow[{extra}]' ({error})")


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

    from jetstow.errors import JetstowError, ObjectDeletedError, ObjectEncryptedError

    if isinstance(error, ObjectEncryptedError) and "store." in str(error):
        return f"{str(error).rpartition(': ')[0]}: add --key-file with its key"
    # "was deleted" alone reads like a success of rm.
    if isinstance(error, ObjectDeletedError) and str(error).endswith(" was deleted"):
        return f"there is no object {error.name!r} in bucket {error.bucket!r}: it was deleted"
    if isinstance(error, JetstowError):
        return _with_options(str(error))
    if isinstance(error, CliError):
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


def _with_options(text: str) -> str:
    """Return a message of the library with the options of the command line for its parameters."""
    for pattern, replacement in _OPTIONS:
        text = pattern.sub(replacement, text)
    return text


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
    return [printable(_with_options(note)) for note in getattr(error, "__notes__", ())]


def print_message(text: str) -> None:
    """Print one line on stderr."""
    if sys.stderr is not None:  # closed: `print` would write to standard output instead
        print(f"jetstow: {text}", file=sys.stderr, flush=True)
