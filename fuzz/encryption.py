"""Headers and preambles of encrypted objects: without the key, none is accepted."""

from __future__ import annotations

from typing import Final

from jetstow._core.protocol.cipher import (
    _HEAD,
    MAGIC,
    MAX_CHUNK_SIZE,
    MIN_CHUNK_SIZE,
    PREAMBLE_SIZE,
    SALT_SIZE,
    DecryptionError,
    Decryptor,
    Encryptor,
    Identity,
    Key,
    Layout,
    WrongKeyError,
    WrongNameError,
    chunk_at,
    plaintext_size,
)
from jetstow._core.protocol.encryption_header import (
    encryption_header,
    header_layout,
    is_link_signed,
    link_header,
    stated_chunk_size,
)
from jetstow._headers import ENCRYPTION_HEADER, LINK_TAG_HEADER
from jetstow.models import ObjectLink

KEY: Final = Key(bytes(range(32)))
NAME: Final = Identity("b", "n")
LINK: Final = ObjectLink(bucket="b", name="target")
LINK_HEADER: Final = link_header(KEY, NAME, LINK)
LAYOUT: Final = Layout(MIN_CHUNK_SIZE, 3000, bytes(range(SALT_SIZE)))
PLAINTEXT: Final = b"plaintext"


def check_header(data: bytes) -> None:
    """A header is accepted if it is one that the key makes, and then only with its own values."""
    text = data.decode("utf-8", "surrogateescape")
    headers = {ENCRYPTION_HEADER: text}
    layout = header_layout(KEY, [Identity("b", "x"), NAME], headers)
    assert layout is None or encryption_header(KEY, NAME, layout) == headers
    size = stated_chunk_size(headers)
    assert size >= MIN_CHUNK_SIZE
    assert 0 <= plaintext_size(len(data), size) <= len(data)
    links = {LINK_TAG_HEADER: text}
    assert is_link_signed(KEY, "b", [NAME], LINK, links) == (links == LINK_HEADER)
    _check_layout(data)


def _check_layout(data: bytes) -> None:
    """Make a layout of the bytes. Its header has it; with one more byte, it has none."""
    chunk_size, size = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:12], "big") >> 1
    layout = Layout(chunk_size, size, data[12 : 12 + SALT_SIZE].ljust(SALT_SIZE))
    if chunk_size >= 10**9:
        return
    header = encryption_header(KEY, NAME, layout)
    is_valid = MIN_CHUNK_SIZE <= chunk_size <= MAX_CHUNK_SIZE
    assert header_layout(KEY, [NAME], header) == (layout if is_valid else None)
    assert stated_chunk_size(header) == max(MIN_CHUNK_SIZE, chunk_size)
    if is_valid:
        assert plaintext_size(layout.stored_size, chunk_size) == size
        number, start = chunk_at(size, chunk_size)
        assert 0 <= size - start < chunk_size
        assert (number == 0) == (start == 0)
    value = header[ENCRYPTION_HEADER]
    position = data[-1] % len(value) if data else 0
    damaged = value[:position] + "0" + value[position:]
    assert header_layout(KEY, [NAME], {ENCRYPTION_HEADER: damaged}) is None


def check_preamble(data: bytes) -> None:
    """Bytes without the key are no object; with a genuine check value, none of its chunks."""
    _check_object(data)
    chunk_size, salt = int.from_bytes(data[:8], "big"), data[8 : 8 + SALT_SIZE].ljust(SALT_SIZE)
    _, check = KEY.derive(salt)
    _check_object(_HEAD.pack(MAGIC, chunk_size, salt, check) + data[8 + SALT_SIZE :])


def _check_object(stored: bytes) -> None:
    try:
        decryptor = Decryptor.from_preamble(KEY, stored)
    except (DecryptionError, WrongKeyError):
        return
    assert len(stored) >= PREAMBLE_SIZE
    assert MIN_CHUNK_SIZE <= decryptor.chunk_size <= MAX_CHUNK_SIZE
    try:
        decryptor.check_name(stored, [NAME])
        has_name = True
    except WrongNameError:
        has_name = False
    for number, is_last in ((0, True), (0, False), (1, True)):
        try:
            plaintext = decryptor.decrypt(number, stored, last=is_last)
        except DecryptionError:
            continue
        # Only the seed is genuine. Its name is not authenticated by the chunk, but by its own tag.
        assert (plaintext, number, is_last) == (PLAINTEXT, 0, True)
        assert has_name or stored[:PREAMBLE_SIZE] != PREAMBLE


def _encrypted() -> bytes:
    encryptor = Encryptor(KEY, MIN_CHUNK_SIZE, NAME)
    assert not list(encryptor.update(PLAINTEXT))
    return encryptor.finalize()


OBJECT: Final = _encrypted()
PREAMBLE: Final = OBJECT[:PREAMBLE_SIZE]

HEADER_SEEDS: Final = (
    encryption_header(KEY, NAME, LAYOUT)[ENCRYPTION_HEADER].encode(),
    encryption_header(Key(bytes(32)), NAME, LAYOUT)[ENCRYPTION_HEADER].encode(),
    LINK_HEADER[LINK_TAG_HEADER].encode(),
    b"AES-256-GCM; chunk=1024",
    b"\x00\x02\x00\x00" + b"\x00" * 7 + b"\x10" + bytes(range(SALT_SIZE)),
)
PREAMBLE_SEEDS: Final = (
    OBJECT,
    (1 << 17).to_bytes(8, "big") + bytes(range(SALT_SIZE)) + b"tag" * 20,
)
