"""NUIDs are unique in all processes."""

from __future__ import annotations

import os

from jetstow._core.protocol.nuid import new_nuid


def test_forked_children_have_different_nuids() -> None:
    """Two processes stored chunks under the same NUID, and both objects were lost."""
    new_nuid()
    nuids = set()
    for _ in range(3):
        reading, writing = os.pipe()
        if not (child := os.fork()):
            os.write(writing, new_nuid().encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            nuids.add(pipe.read())
    nuids.add(new_nuid())
    assert len(nuids) == 4
    assert {len(nuid) for nuid in nuids} == {22}
