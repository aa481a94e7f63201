"""Checks that a name is at the revision that a caller expects."""

from __future__ import annotations

from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.read.name_state import NameState
from jetstow.errors import ObjectAlreadyExists, RevisionMismatchError


def check_revision(context: ErrorContext, state: NameState, expected: int | None) -> None:
    """Raise unless the name is at the expected revision; 0 expects no object.

    Raises: `ObjectAlreadyExists` (0 was expected), `RevisionMismatchError`.
    """
    if expected == 0:
        check_free(context, state, f"{context} exists already")
    elif expected is not None and state.revision != expected:
        raise _mismatch(context, state, expected)


def check_free(context: ErrorContext, state: NameState, message: str) -> None:
    """Raise an error with a message unless the name has no object.

    One whose metadata cannot be read counts: only a put without conditions or a delete replaces it.

    Raises: `ObjectAlreadyExists`.
    """
    if state.is_free:
        return
    if state.info is None:
        message += ": its metadata cannot be read; to replace it, delete it first"
    raise context.error(ObjectAlreadyExists, message)


def check_same_revision(context: ErrorContext, state: NameState, expected: int) -> None:
    """Raise unless the name is at the expected revision; 0 expects a name without metadata.

    Raises: `RevisionMismatchError`.
    """
    if state.revision != expected:
        raise _mismatch(context, state, expected)


def _mismatch(context: ErrorContext, state: NameState, expected: int) -> RevisionMismatchError:
    if not state.revision or (state.info is not None and state.live is None):
        message = f"there is no {context}: it cannot be at revision {expected}"
    else:
        message = f"{context} is at revision {state.revision}, not at {expected}: it was changed"
    error = context.error(RevisionMismatchError, message)
    error.expected, error.actual = expected, state.revision
    return error
