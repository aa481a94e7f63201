"""Each claim of the page on security names its tests, and these exist."""

from __future__ import annotations

import re
from typing import Final

from tests.docs import pages
from tests.docs.test_decisions import all_tests

TEXT: Final = pages.text("security.md")
ROWS: Final = [
    row for row in re.findall(r"^\| (.+) \| (.+) \|$", TEXT, re.MULTILINE) if row[0] != "claim"
]


def test_claims_are_found() -> None:
    assert len([row for row in ROWS if not row[0].startswith("---")]) > 15


def test_each_claim_names_a_test() -> None:
    for claim, proof in ROWS:
        assert claim.startswith("---") or re.search(r"`(tests/|test_)", proof), claim


def test_named_tests_exist() -> None:
    files = re.findall(r"`(tests/[\w/.]+)`", TEXT)
    assert not [file for file in files if not (pages.ROOT / file).is_file()]
    assert not set(re.findall(r"`(test_\w+)`", TEXT)) - all_tests()
