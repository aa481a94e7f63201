"""NUIDs are never the same, whichever process makes them."""

from __future__ import annotations

import os

from jetstow._core.protocol.nuid import new_nuid


def test_a_forked_child_makes_others() -> None:
    """Chunks of two processes came under one NUID, and both objects were lost."""
    new_nuid()
    made = set()
    for _ in range(3):
        reading, writing = os.pipe()
        if not (child := os.fork()):
            os.write(writing, new_nuid().encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            made.add(pipe.read())
    made.add(new_nuid())
    assert len(made) == 4
    assert {len(each) for each in made} == {22}
