"""Exit codes and error messages."""

from __future__ import annotations

import builtins

import nats.errors
import pytest

from jetstow import errors
from jetstow.cli import errors as cli_errors

EXIT_CODES = {
    errors.AuthorizationError: cli_errors.REFUSED,
    errors.BadObjectMetaError: cli_errors.DAMAGED,
    errors.BucketExistsError: cli_errors.CONFLICT,
    errors.BucketFullError: cli_errors.ERROR,
    errors.BucketNotFoundError: cli_errors.NOT_FOUND,
    errors.BucketSealedError: cli_errors.CONFLICT,
    errors.ChunksLostError: cli_errors.DAMAGED,
    errors.ConnectionLostError: cli_errors.UNREACHABLE,
    errors.ContextError: cli_errors.ERROR,
    errors.DigestMismatchError: cli_errors.DAMAGED,
    errors.EmbeddedServerError: cli_errors.UNREACHABLE,
    errors.InvalidBucketNameError: cli_errors.USAGE,
    errors.InvalidObjectNameError: cli_errors.USAGE,
    errors.InvalidOptionError: cli_errors.USAGE,
    errors.JetStreamUnavailableError: cli_errors.UNREACHABLE,
    errors.LinkError: cli_errors.ERROR,
    errors.LinkIsABucketError: cli_errors.ERROR,
    errors.NoServersError: cli_errors.UNREACHABLE,
    errors.ObjectAlreadyExists: cli_errors.CONFLICT,
    errors.ObjectChangedError: cli_errors.CONFLICT,
    errors.ObjectDeletedError: cli_errors.NOT_FOUND,
    errors.ObjectNotFoundError: cli_errors.NOT_FOUND,
    errors.PermissionDeniedError: cli_errors.REFUSED,
    errors.RevisionMismatchError: cli_errors.CONFLICT,
    errors.ServerError: cli_errors.ERROR,
    errors.WrongStreamError: cli_errors.ERROR,
    errors.SizeMismatchError: cli_errors.DAMAGED,
    errors.TimeoutError: cli_errors.UNREACHABLE,
}


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES.items(), ids=str)
def test_exit_code_of_each_error(kind: type[errors.JetstowError], code: int) -> None:
    error = kind("the message", bucket="b", name="n")
    assert cli_errors.exit_code(error) == code
    assert cli_errors.message(error) == "the message"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (cli_errors.UsageError("no"), cli_errors.USAGE, "no"),
        (cli_errors.CliError("nothing was changed"), cli_errors.ERROR, "nothing was changed"),
        (
            FileNotFoundError(2, "No such file or directory", "a.txt"),
            cli_errors.NOT_FOUND,
            "'a.txt': No such file or directory",
        ),
        (
            PermissionError(13, "Permission denied", "a"),
            cli_errors.REFUSED,
            "'a': Permission denied",
        ),
        (OSError(28, "No space left"), cli_errors.ERROR, "No space left"),
        (builtins.TimeoutError(), cli_errors.UNREACHABLE, "no response in time"),
        (nats.errors.TimeoutError(), cli_errors.UNREACHABLE, "NATS: timeout"),
        (
            ValueError("a\nb\x1b"),
            cli_errors.ERROR,
            r"ValueError: a b\x1b (--verbose shows the traceback)",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_message_of_other_exceptions(error: Exception, code: int, message: str) -> None:
    assert (cli_errors.exit_code(error), cli_errors.message(error)) == (code, message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "put the file again with resume to continue",
            "put the file again with --resume to continue",
        ),
        (
            "object 'a' is encrypted: it cannot be put with resume",
            "object 'a' is encrypted: it cannot be put with --resume",
        ),
        ("another put_file with resume stores 'f'", "another put with --resume stores 'f'"),
        (
            "nothing was changed; if this is intended, pass force=True",
            "nothing was changed; if this is intended, add --force",
        ),
        (
            "more than max_delete (2): nothing was changed; check 'a', or raise max_delete",
            "more than --max-delete (2): nothing was changed; check 'a', or raise --max-delete",
        ),
        (
            "(a): open it with object_store(), or change it with create_or_update_object_store()",
            "(a): use it as it is, or change it with jetstow edit",
        ),
        ("max_chunk_size of object 'a' must be 1", "--chunk-size of object 'a' must be 1"),
        ("a prefix, set subject_prefix", "a prefix, use Python and set subject_prefix"),
        (
            "or set subject_prefix if the account imports the subjects",
            "or use Python and set subject_prefix if the account imports the subjects",
        ),
        (
            "bucket 'b' has no versions: enable them with update_object_store('b', versioned=True)",
            "bucket 'b' has no versions: enable them with jetstow edit b --versioned",
        ),
        ("read it with store.encrypted(key, allow_plain=True)", "read it with --allow-plain"),
        ("there is no object 'a with resume'", "there is no object 'a with resume'"),
    ],
)
def test_options_in_messages_of_the_library(text: str, expected: str) -> None:
    error = errors.JetstowError(text)
    error.add_note(text)
    assert [cli_errors.message(error), *cli_errors.notes(error)] == [expected] * 2


def test_meaning_of_every_exit_code() -> None:
    codes = {*EXIT_CODES.values(), cli_errors.OK, cli_errors.INTERRUPTED}
    assert codes == set(cli_errors.EXIT_CODES)
