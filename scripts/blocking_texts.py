"""The texts of the blocking verbs that `generate_sync.py` does not derive."""

from __future__ import annotations

# Bodies that no rule of the generator produces.
BODIES = {
    "open": """\
        reading = {
            "expected_revision": expected_revision,
            "if_changed_since": if_changed_since,
            "version": version,
            "prefetch": prefetch,
        }
        writing = {
            "meta": meta,
            "description": description,
            "content_type": content_type,
            "tags": _adapters.collected(tags),
            "headers": headers,
            "metadata": metadata,
            "expected_revision": expected_revision,
            "ttl": ttl,
            "expected_digest": expected_digest,
            "keep_replaced": keep_replaced,
            "dated": dated,
        }
        return self._open(name, mode, reading, writing)""",
    "encrypted": "return self._with_key(key, allow_plain, original_bucket)",
    "as_stored": "return self._without_decryption()",
}

# Docstrings that are too different to be derived.
DOCSTRINGS = {
    "JetStreamContext": """\
        A JetStream context: it creates, opens, lists and deletes buckets.

        `Client.jetstream` creates it. `timeout` (in seconds, default 5) limits how long a call
        waits for the next message of the server. It does not limit a transfer as a whole.
        """,
    "list": """\
        Return the info of every object, the least recently changed first.

        `prefix` selects names that begin with it. `match` is a pattern (see `find`) or a function
        that returns true for the infos to include. Delete markers are included if `ignore_deletes`
        is false. To process the infos of a large bucket as they arrive, iterate over `watch()` up
        to its None.

        Raises: `InvalidOptionError` (`prefix` or `match` has another type), what `match` raises.
        """,
    "object_store_names": "Return the names of the account's buckets.",
    "object_stores": "Return the states of the account's buckets.",
}

# Words of docstrings, as regular expressions.
WORDS = (
    (r"\basync with await ", "with "),
    (r"\basync with\b", "with"),
    (r"\basync for\b", "for"),
    (r"\ban asynchronous file\b", "a file"),
    (r"\(binary, text,? or asynchronous\)", "(binary or text)"),
    (r"\(binary or asynchronous\)", "(binary)"),
    (r" \(of either kind\)", ""),
    (r"\b(an )?async(hronous)? context manager", "a context manager"),
    (r"\ba path, a file,? or an asynchronous iterable of bytes\b", "a path or a file"),
    (r"\bawait (?=jetstow\.|store\.|js\.|nc\.)", ""),
    (r"\bcancelled\b", "interrupted"),
    (r"a function, or a coroutine function,", "a function"),
)
