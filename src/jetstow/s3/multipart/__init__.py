"""Multipart uploads: their records, the parts in order and in the spool, and the final object."""
