"""Everything that jetstow parses, fed with bytes that nobody would send.

    make fuzz                      ten minutes of it, guided by the code that the bytes reach
    make fuzz MINUTES=60           longer
    make fuzz ONLY=frames,names    some of it

`targets.py` says what must hold, whatever the bytes are. `tests/unit/fuzz` tries a little of
the same in every run of the tests.
"""
