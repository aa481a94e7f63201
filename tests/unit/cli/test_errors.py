"""Exit codes and sentences."""

from __future__ import annotations

import builtins

import nats.errors
import pytest

from jetstow import errors
from jetstow.cli import errors as cli_errors

CODES = {
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
    errors.SizeMismatchError: cli_errors.DAMAGED,
    errors.TimeoutError: cli_errors.UNREACHABLE,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=str)
def test_each_error_has_its_exit_code(kind: type[errors.JetstowError], code: int) -> None:
    error = kind("it is so", bucket="b", name="n")
    assert cli_errors.code(error) == code
    assert cli_errors.sentence(error) == "it is so"


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (cli_errors.WrongUsage("no"), cli_errors.USAGE, "no"),
        (cli_errors.Told("nothing was changed"), cli_errors.ERROR, "nothing was changed"),
        (FileNotFoundError(2, "No", "a.txt"), cli_errors.NOT_FOUND, "there is no file 'a.txt'"),
        (
            PermissionError(13, "Permission denied", "a"),
            cli_errors.REFUSED,
            "'a': Permission denied",
        ),
        (OSError(28, "No space left"), cli_errors.ERROR, "No space left"),
        (builtins.TimeoutError(), cli_errors.UNREACHABLE, "there was no answer in time"),
        (nats.errors.TimeoutError(), cli_errors.UNREACHABLE, "NATS: timeout"),
        (ValueError("a\nb\x1b"), cli_errors.ERROR, r"ValueError: a b\x1b (--verbose tells where)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_every_failure_is_one_sentence(error: Exception, code: int, sentence: str) -> None:
    assert (cli_errors.code(error), cli_errors.sentence(error)) == (code, sentence)


def test_every_code_has_a_meaning() -> None:
    assert {*CODES.values(), cli_errors.OK, cli_errors.INTERRUPTED} == set(cli_errors.MEANINGS)
