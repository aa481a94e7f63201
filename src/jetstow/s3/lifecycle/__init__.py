"""Lifecycle rules of buckets: what they are, and what they remove."""
