"""Fuzz all parsers of jetstow with arbitrary bytes, guided by coverage.

    make fuzz                       ten minutes
    make fuzz MINUTES=60            longer
    make fuzz ONLY=parser,subjects  a selection

`targets.py` asserts the properties that must hold for all bytes. `tests/unit/fuzz` runs a few
examples of each in every test run.
"""
