"""Bucket policies: the document, its conditions, and what it decides about a request."""
