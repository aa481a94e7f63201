"""A folder as a bucket, and a bucket as a folder: what differs is copied, once.

    await jetstow._transfer.folders.upload("photos", store, "2026/", delete=True)
    await jetstow._transfer.folders.download(store, "photos", "2026/")

Files and objects are compared by size, and by SHA-256 where that is the same. Everything
appears whole and verified, several at a time; one that fails keeps no other from being copied.
"""

from jetstow._transfer.folders.download import download
from jetstow._transfer.folders.result import Synced
from jetstow._transfer.folders.upload import upload

__all__ = ["Synced", "download", "upload"]
