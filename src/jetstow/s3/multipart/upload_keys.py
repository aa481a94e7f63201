"""The customer's keys of uploads in progress, in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from jetstow.s3.customer_key import CustomerKey
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.model import Upload

_MAX_KEYS: Final = 4096


class UploadKeys:
    """Remembers keys: some clients do not send the key when they complete an upload."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, CustomerKey] = OrderedDict()

    def add(self, upload_id: str, key: CustomerKey) -> None:
        """Remember the key of an upload."""
        self._keys[upload_id] = key
        while len(self._keys) > _MAX_KEYS:
            self._keys.popitem(last=False)

    def remove(self, upload_id: str) -> None:
        """Forget the key of an upload."""
        self._keys.pop(upload_id, None)

    def key_for_completion(self, upload: Upload, key: CustomerKey | None) -> CustomerKey | None:
        """Return the key of the request, or the remembered one.

        Raises: `S3Error` (InvalidRequest).
        """
        if key is None and upload.key_check:
            key = self._keys.get(upload.id)
        check_key(upload, key)
        return key


def check_key(upload: Upload, key: CustomerKey | None) -> None:
    """Check the key of a request against the one that an upload was created with.

    Raises: `S3Error` (InvalidRequest).
    """
    if key is None and upload.key_check:
        message = (
            "The multipart upload initiate requested encryption. Subsequent part requests must "
            "include the appropriate encryption parameters."
        )
        raise S3Error("InvalidRequest", message)
    if key is not None and key.sign(upload.id) != upload.key_check:
        message = (
            "The multipart upload initiate did not request encryption with this key. Subsequent "
            "requests must have the same encryption parameters."
        )
        raise S3Error("InvalidRequest", message)
