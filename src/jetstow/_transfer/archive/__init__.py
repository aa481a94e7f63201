"""Back up a bucket to one file, and restore it.

    await jetstow.backup(store, "photos.tar")
    await jetstow.restore(js, "photos.tar")

The file is a POSIX tar archive (pax), which any tar program can unpack:

    bucket.json       the bucket's configuration; the first entry
    objects/<path>    the bytes of an object, as a regular file with the object's time
    links/<path>      the target of a link, for readers of the unpacked archive
    manifest.json     counts, and a digest over all entries; the last entry

The path is the object's name, escaped so that it is safe to unpack. The name itself and the
metadata are JSON in the pax record `comment` of the entry.
"""

from jetstow._transfer.archive.read import restore
from jetstow._transfer.archive.write import backup

__all__ = ["backup", "restore"]
