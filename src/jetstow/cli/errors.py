"""What goes wrong: one sentence for people, one exit code for scripts."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from typing import Final

from jetstow.cli.render import clean

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

MEANINGS: Final = {
    OK: "it is done",
    ERROR: "an error that is none of these",
    USAGE: "wrong usage: a name, an option or a value that cannot be",
    NOT_FOUND: "no such bucket, object or file",
    CONFLICT: "it exists already, is at another revision, or is sealed",
    REFUSED: "no permission, or the credentials were refused",
    UNREACHABLE: "no server, no JetStream, or no answer in time",
    DAMAGED: "the bytes stored are not what they should be, or are lost",
    INTERRUPTED: "ended by Ctrl-C",
}


class Told(Exception):  # noqa: N818 - its message is the sentence
    """Something that the command line itself has to say."""


class WrongUsage(Told):
    """The arguments make no sense, alone or together, or need a confirmation."""


def code(error: BaseException) -> int:
    """The exit code that stands for an error."""
    return next((code for code, kinds in _kinds() if isinstance(error, kinds)), ERROR)


def _kinds() -> Iterator[tuple[int, tuple[type[BaseException], ...]]]:
    """Exit codes and their errors. The first that fits counts: an error may be several."""
    import nats.errors

    from jetstow import errors

    yield DAMAGED, (errors.IntegrityError,)
    yield CONFLICT, (errors.BucketSealedError, errors.RevisionMismatchError)
    yield CONFLICT, (errors.ObjectChangedError, FileExistsError)
    yield NOT_FOUND, (FileNotFoundError,)
    yield REFUSED, (PermissionError, nats.errors.AuthorizationError)
    yield UNREACHABLE, (ConnectionError, TimeoutError, errors.EmbeddedServerError)
    yield UNREACHABLE, (nats.errors.ConnectionClosedError, nats.errors.NoServersError)
    yield USAGE, (WrongUsage, errors.InvalidBucketNameError, errors.InvalidObjectNameError)
    yield USAGE, (errors.InvalidOptionError,)


def sentence(error: BaseException) -> str:
    """What to tell the user of it, on one line, whatever names there are in it."""
    return clean(" ".join(_told(error).split()))


def _told(error: BaseException) -> str:
    import nats.errors

    from jetstow.errors import JetstowError, ObjectEncryptedError

    if isinstance(error, ObjectEncryptedError) and "store." in str(error):
        return f"{str(error).partition(':')[0]}: --key-file names the key"
    if isinstance(error, JetstowError | Told):
        return str(error)
    if isinstance(error, nats.errors.Error):
        return f"NATS: {str(error).removeprefix('nats: ')}"
    if isinstance(error, TimeoutError) and not str(error):
        return "there was no answer in time"
    if isinstance(error, OSError) and error.filename is not None:
        if error.errno == errno.ENOENT:
            return f"there is no file {str(error.filename)!r}"
        return f"{str(error.filename)!r}: {error.strerror}"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"{type(error).__name__}: {error} (--verbose tells where)"


def report(error: BaseException, *, verbose: bool = False) -> None:
    """Tell of an error on stderr: a sentence, and where it happened if asked."""
    if verbose:
        traceback.print_exception(error, file=sys.stderr)
    complain(sentence(error))


def complain(words: str) -> None:
    """One line on stderr."""
    if sys.stderr is not None:  # it may be closed, and `print` would take standard output then
        print(f"jetstow: {words}", file=sys.stderr, flush=True)
