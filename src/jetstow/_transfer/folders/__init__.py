"""Copy a folder into a bucket, and a bucket into a folder.

Files and objects are compared by size, and by SHA-256 if the sizes are equal; only what differs is
copied. Several copies run concurrently. A failure of one does not stop the others.
"""

from jetstow._transfer.folders.download import download_folder
from jetstow._transfer.folders.upload import upload_folder

__all__ = ["download_folder", "upload_folder"]
