"""The names that the gateway stores in the metadata of streams (buckets) and of objects."""

from __future__ import annotations

from typing import Final

RESERVED: Final = "jetstow.s3."

# Of both.
OWNER: Final = f"{RESERVED}owner"
TAGS: Final = f"{RESERVED}tags"
ACL: Final = f"{RESERVED}acl"

# Of streams. `NAME` is the name in S3 if it has dots, which stream names cannot have.
NAME: Final = f"{RESERVED}name"
OBJECT_LOCK: Final = f"{RESERVED}object-lock"
LOCATION: Final = f"{RESERVED}location"
OWNERSHIP: Final = f"{RESERVED}ownership"
PUBLIC_ACCESS: Final = f"{RESERVED}public-access-block"
CORS: Final = f"{RESERVED}cors"
NOTIFICATION: Final = f"{RESERVED}notification"
LIFECYCLE: Final = f"{RESERVED}lifecycle"
POLICY: Final = f"{RESERVED}policy"
WEBSITE: Final = f"{RESERVED}website"

# Of objects. ETag and checksum are those of the bytes with the digest; another client may have
# replaced the bytes and kept the metadata. ADR-20 has headers for the rest.
ETAG: Final = f"{RESERVED}etag"
CHECKSUM: Final = f"{RESERVED}checksum"
DIGEST: Final = f"{RESERVED}digest"

# When these bytes were stored, in nanoseconds since 1970, if the tags or the ACL are newer: they
# make a new revision in NATS, but S3's LastModified stays.
MODIFIED: Final = f"{RESERVED}modified"

# Of objects whose page on a website is a redirect.
REDIRECT: Final = f"{RESERVED}redirect"

# Of objects that were uploaded in parts: the parts, and the id of the upload.
PARTS: Final = f"{RESERVED}parts"
UPLOAD: Final = f"{RESERVED}upload"

# What made the current revision, if it was not a put (`s3.events.record`).
EVENT: Final = f"{RESERVED}event"

# The entries that a copy of the bytes has, too.
COPIED_ENTRIES: Final = frozenset({ETAG, CHECKSUM, DIGEST})

# The entries that a list shows, in the order of `IndexEntry.metadata`.
LISTED_ENTRIES: Final = (DIGEST, ETAG, CHECKSUM, MODIFIED, OWNER)
