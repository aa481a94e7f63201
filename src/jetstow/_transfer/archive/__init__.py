"""A bucket in one file, and a file as a bucket again.

    await jetstow.backup(store, "photos.tar")
    await jetstow.restore(js, "photos.tar")

The file is a tar as POSIX has it (pax), so that every tool opens it:

    bucket.json       how the bucket is kept; first
    objects/<path>    an object's bytes, as an ordinary file with the object's time
    links/<path>      where a link leads, for people
    manifest.json     counts, and a digest over all entries; last

The path is the object's name made harmless. The name itself, and all that the store knows of
the object, stand as JSON in the entry's pax record `comment`.
"""

from jetstow._transfer.archive.read import restore
from jetstow._transfer.archive.write import backup

__all__ = ["backup", "restore"]
