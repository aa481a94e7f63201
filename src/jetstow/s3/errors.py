"""The errors of S3: their codes, statuses and default messages, and those of jetstow as such."""

from __future__ import annotations

from typing import Final

import nats.errors
import nats.js.errors

from jetstow import errors

# The codes that the gateway answers with: the HTTP status and the default message. They are those
# of Amazon's "Error responses" page, except QuotaExceeded, which is Ceph's.
ERRORS: Final[dict[str, tuple[int, str]]] = {
    "AccessControlListNotSupported": (400, "The bucket does not allow ACLs."),
    "AccessDenied": (403, "Access Denied"),
    "AccessForbidden": (403, "This CORS request is not allowed."),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The authorization parameters are not valid."),
    "BadRequest": (400, "Bad request."),
    "BadDigest": (400, "The Content-MD5 or checksum value did not match what was received."),
    "BucketAlreadyExists": (409, "The requested bucket name is in use. Select another name."),
    "BucketAlreadyOwnedByYou": (409, "You own the bucket of this name already."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty."),
    "ConditionalRequestConflict": (409, "A concurrent write changed the object. Try again."),
    "EntityTooLarge": (400, "The upload exceeds the maximum allowed size."),
    "EntityTooSmall": (400, "The upload is smaller than the minimum allowed size."),
    "IncompleteBody": (400, "The request body ended before its length, or is longer than it."),
    "InternalError": (500, "The gateway could not complete the request. See its log."),
    "IncorrectNumberOfFilesInPostRequest": (400, "POST requires one file upload per request."),
    "InvalidAccessKeyId": (403, "The access key you provided does not exist."),
    "InvalidArgument": (400, "Invalid argument."),
    "InvalidBucketAclWithObjectOwnership": (
        400,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
    "InvalidBucketState": (409, "The request is not valid for the current state of the bucket."),
    "InvalidBucketName": (400, "The specified bucket name is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidEncryptionAlgorithmError": (400, "The encryption algorithm must be AES256."),
    "InvalidLocationConstraint": (400, "The specified location constraint is not valid."),
    "InvalidObjectState": (403, "The operation is not valid for the current state of the object."),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidPolicyDocument": (400, "The policy of the form is not valid."),
    "InvalidRange": (416, "The requested range is not satisfiable."),
    "InvalidRedirectLocation": (
        400,
        "The website redirect location must begin with http://, https:// or /, and have 2 KB.",
    ),
    "InvalidRequest": (400, "Invalid request."),
    "InvalidRetentionPeriod": (400, "The retention period is not valid."),
    "InvalidStorageClass": (400, "The storage class you specified is not valid."),
    "InvalidTag": (400, "The tag is not valid."),
    "InvalidToken": (400, "The provided token is malformed or not valid."),
    "InvalidURI": (400, "The specified URI could not be parsed."),
    "KeyTooLongError": (400, "Your key is too long."),
    "MalformedACLError": (400, "The ACL you provided is not well-formed."),
    "MalformedPolicy": (400, "The policy is not valid."),
    "MalformedPOSTRequest": (400, "The body of the POST request is not well-formed form data."),
    "MalformedTrailerError": (400, "The request contained trailing data that is not well-formed."),
    "MalformedXML": (400, "The XML you provided is not well-formed or not valid here."),
    "MaxMessageLengthExceeded": (400, "Your request was too big."),
    "MaxPostPreDataLengthExceeded": (400, "The fields before the file are too large."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed size."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "MissingSecurityHeader": (400, "Your request is missing a required header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchBucketPolicy": (404, "The bucket policy does not exist."),
    "NoSuchConfiguration": (404, "The specified configuration does not exist."),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": (404, "The lifecycle configuration does not exist."),
    "NoSuchPublicAccessBlockConfiguration": (
        404,
        "The public access block configuration was not found.",
    ),
    "NoSuchTagSet": (404, "The TagSet does not exist."),
    "NoSuchObjectLockConfiguration": (404, "The object has no retention."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist."),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NoSuchWebsiteConfiguration": (404, "The website configuration does not exist."),
    "NotImplemented": (501, "The gateway does not implement this part of S3."),
    "ObjectLockConfigurationNotFoundError": (
        404,
        "Object Lock configuration does not exist for this bucket.",
    ),
    "OperationAborted": (409, "A conflicting operation is in progress. Try again."),
    "OwnershipControlsNotFoundError": (404, "The bucket ownership controls were not found."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "QuotaExceeded": (403, "The storage limit of the bucket or the account is reached."),
    "ReplicationConfigurationNotFoundError": (404, "The replication configuration was not found."),
    "RequestHeaderSectionTooLarge": (400, "Your request headers exceed the allowed size."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and now is too large."),
    "RequestTimeout": (400, "The request body was not sent within the timeout period."),
    "ServerSideEncryptionConfigurationNotFoundError": (
        404,
        "The server side encryption configuration was not found.",
    ),
    "ServiceUnavailable": (503, "The NATS server is not available. Try again."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided.",
    ),
    "UnexpectedContent": (400, "This request does not support content."),
    "UnresolvableGrantByEmailAddress": (
        400,
        "The e-mail address you provided does not match any account on record.",
    ),
    "XAmzContentSHA256Mismatch": (
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
}


# The codes for an object or a version that does not exist, or is a delete marker.
MISSING: Final = frozenset({"MethodNotAllowed", "NoSuchKey", "NoSuchVersion"})


class S3Error(Exception):
    """An error that a request is answered with: a code of `ERRORS`, a message, XML fields."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        headers: dict[str, str] | None = None,
        **fields: object,
    ) -> None:
        self.status, default = ERRORS[code]
        self.code = code
        self.message = message or default
        self.headers = headers or {}
        self.fields = fields
        super().__init__(f"{code}: {self.message}")


class ClientGoneError(Exception):
    """The client closed the connection before it sent the body or received the response."""


# The first class that fits decides. A change that lost a race becomes PreconditionFailed or
# ConditionalRequestConflict in the operation, which sees whether the request had a condition.
_JETSTOW_ERRORS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (errors.BucketNotFoundError, "NoSuchBucket"),
    (errors.ObjectNotFoundError, "NoSuchKey"),
    (errors.InvalidBucketNameError, "InvalidBucketName"),
    (errors.InvalidObjectNameError, "InvalidArgument"),
    (errors.InvalidRangeError, "InvalidRange"),
    (errors.InvalidOptionError, "InvalidArgument"),
    (errors.LinkIsABucketError, "InvalidRequest"),
    (errors.BucketSealedError, "AccessDenied"),
    (errors.ObjectLockedError, "AccessDenied"),
    (errors.BucketFullError, "QuotaExceeded"),
    (errors.ObjectAlreadyExists, "PreconditionFailed"),
    (errors.RevisionMismatchError, "ConditionalRequestConflict"),
    (errors.ObjectChangedError, "ConditionalRequestConflict"),
    (errors.PermissionDeniedError, "AccessDenied"),
    (errors.AuthorizationError, "AccessDenied"),
    (errors.TimeoutError, "ServiceUnavailable"),
    (errors.ConnectionLostError, "ServiceUnavailable"),
    (errors.JetStreamUnavailableError, "ServiceUnavailable"),
    # nats-py's, of consumers for example, while there is no leader.
    (nats.errors.TimeoutError, "ServiceUnavailable"),
    (nats.errors.NoRespondersError, "ServiceUnavailable"),
    (nats.js.errors.ServiceUnavailableError, "ServiceUnavailable"),
)
# Their messages are for the client. Those of the other classes name servers and subjects.
_EXPLAINED: Final = (
    errors.InvalidObjectNameError,
    errors.InvalidOptionError,
    errors.LinkIsABucketError,
    errors.BucketSealedError,
)
_ENCRYPTED: Final = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be "
    "provided to retrieve the object."
)


def to_s3_error(error: Exception) -> S3Error:
    """Return an exception as an S3 error: itself, or the code for the error of jetstow."""
    if isinstance(error, S3Error):
        return error
    if isinstance(error, errors.ObjectEncryptedError):
        return S3Error("InvalidRequest", _ENCRYPTED)
    for kind, code in _JETSTOW_ERRORS:
        if isinstance(error, kind):
            return S3Error(code, str(error) if isinstance(error, _EXPLAINED) else "")
    return S3Error("InternalError")


def unexpected(error: BaseException) -> BaseException | None:
    """Return an error whose traceback belongs in the log; None if its message explains it."""
    return None if isinstance(error, nats.errors.Error | S3Error | TimeoutError) else error
