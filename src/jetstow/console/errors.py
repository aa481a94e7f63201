"""The errors of the console as JSON: its own, those of S3, and those of jetstow."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from jetstow.s3.errors import S3Error, to_s3_error

# The codes that S3 does not have, with the HTTP status and the default message.
ERRORS: Final[dict[str, tuple[int, str]]] = {
    "Conflict": (409, "The object has changed since it was read."),
    "CrossOriginRequest": (403, "The request comes from a page of another origin."),
    "InvalidCredentials": (403, "The access key or the secret key is not valid."),
    "InvalidCsrfToken": (403, "The request needs the header x-csrf-token of the session."),
    "KeyFileNotWritable": (409, "The gateway cannot write its key file."),
    "LastAdmin": (409, "The last key of an administrator cannot be removed."),
    "NewerBucket": (409, "The bucket was deleted and created again: nothing is changed in it."),
    "NewerVersion": (409, "There is a newer version."),
    "NotAnAdmin": (403, "The key is not that of an administrator."),
    "NotDeleted": (409, "The object exists: another client has stored or undeleted it."),
    "NotFound": (404, "There is no such page."),
    "NotInstalled": (501, "A package that this needs is not installed with the gateway."),
    "PayloadTooLarge": (413, "The request has too many bytes."),
    "SignInRequired": (401, "The session has ended, or there is none: sign in."),
    "TooManyAttempts": (429, "Too many attempts to sign in. Try again later."),
    "TooManyRequests": (429, "Too many of these are in progress: wait for one."),
}
_HTTP_CODES: Final = {404: "NotFound", 405: "MethodNotAllowed"}


class ConsoleError(Exception):
    """An error that a request is answered with: a code of `ERRORS`."""

    def __init__(
        self, code: str, message: str = "", *, headers: dict[str, str] | None = None
    ) -> None:
        self.status, default = ERRORS[code]
        self.code = code
        self.message = message or default
        self.headers = headers or {}
        super().__init__(f"{code}: {self.message}")


def to_console_error(error: Exception) -> ConsoleError | S3Error:
    """Return an exception as an error with a code, a status and a message."""
    if isinstance(error, ConsoleError):
        return error
    if isinstance(error, HTTPException):  # of Starlette's router
        code = _HTTP_CODES.get(error.status_code, "InvalidRequest")
        if code in ERRORS:
            return ConsoleError(code)
        return S3Error(code, headers=dict(error.headers or {}))
    return to_s3_error(error)


def error_fields(error: Exception, request_id: str) -> dict[str, str]:
    """Return the value of `error` in a response or in the last line of a stream."""
    known = to_console_error(error)
    return {"code": known.code, "message": known.message, "request_id": request_id}


def error_response(error: ConsoleError | S3Error, request_id: str) -> JSONResponse:
    """Return the response for an error."""
    content = {"error": error_fields(error, request_id)}
    return JSONResponse(content, error.status, error.headers)
