"""Names of files and objects that differ only in their Unicode normal form."""

from __future__ import annotations

import unicodedata

from jetstow._transfer.folders.names import match_names

NFC = "caf\N{LATIN SMALL LETTER E WITH ACUTE}"
NFD = unicodedata.normalize("NFD", NFC)


def test_same_names() -> None:
    assert match_names(["a", NFC], ["a", NFC, "b"]) == {"a": "a", NFC: NFC}
    assert match_names(["a"], []) == {"a": "a"}


def test_decomposed_names_of_macos() -> None:
    assert match_names([NFD], [NFC]) == {NFD: NFC}
    assert match_names([NFC], [NFD]) == {NFC: NFD}
    assert match_names([f"{NFD}/{NFD}/a"], [f"{NFC}/{NFC}/a"]) == {
        f"{NFD}/{NFD}/a": f"{NFC}/{NFC}/a"
    }


def test_both_forms_in_one_place() -> None:
    """Two files of the source are never one file of the target."""
    assert match_names([NFC, NFD], [NFC]) == {NFC: NFC, NFD: NFD}
    assert match_names([NFD], [NFC, NFD]) == {NFD: NFD}
    assert match_names([NFC, NFD], [NFC, NFD]) == {NFC: NFC, NFD: NFD}
    combining = ["o\u0323\u0307", "o\u0307\u0323"]  # two spellings of a third one
    assert match_names(combining, ["\u1ecd\u0307"]) == {name: name for name in combining}


def test_new_name_in_an_existing_folder() -> None:
    assert match_names([f"{NFD}/new"], [f"{NFC}/old"]) == {f"{NFD}/new": f"{NFC}/new"}
    assert match_names([f"{NFD}/x/new"], [f"{NFC}/old"]) == {f"{NFD}/x/new": f"{NFC}/x/new"}
    assert match_names([f"x/{NFD}/new"], [f"{NFC}/old"]) == {f"x/{NFD}/new": f"x/{NFD}/new"}
    both = [f"{NFC}/1", f"{NFD}/2"]
    assert match_names(both, [f"{NFC}/old"]) == {name: name for name in both}
