"""Key files of the gateway that are refused, with the reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jetstow.s3 import Key, Keys
from jetstow.s3.auth.key_reload import KeyReload
from jetstow.s3.auth.keys import KeyFileError, load_keys, load_or_generate_key

GOOD = '[[key]]\naccess_key = "A"\nsecret_key = "B"\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "must consist of one or more [[key]] tables"),
        ("[key]\n", "must consist of"),
        (f"{GOOD}\n[other]\n", "must consist of"),
        ("[[key]\n", "Expected"),
        (GOOD + GOOD, "'A' is there twice"),
        (f'{GOOD}region = "x"\n', "key 1: there is no field 'region'"),
        (GOOD.replace('"B"', "1"), "key 1: secret_key must be a string"),
        (GOOD.replace('"B"', '""'), "key 1: secret_key is missing or empty"),
        (GOOD.replace('"A"', '"a/b"'), "access_key must be ASCII without blanks"),
        (GOOD.replace('"A"', '"ä"'), "access_key must be ASCII without blanks"),
        (f'{GOOD}allow = "delete"\n', "allow must be 'full', 'read' or 'write', not 'delete'"),
        (f'{GOOD}buckets = "*"\n', "buckets must be a list of patterns"),
    ],
)
def test_refused_key_file(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFileError) as raised:
        load_keys(path)
    assert repr(str(path)) in str(raised.value)
    assert reason in str(raised.value)


def test_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        load_keys(tmp_path / "missing.toml")


def test_generated_key(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keys.toml"
    keys, is_new = load_or_generate_key(path)
    again, is_new_again = load_or_generate_key(path)
    assert (is_new, is_new_again) == (True, False)
    assert [*keys] == [*again]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_owners_of_keys() -> None:
    keys = Keys((Key("A", "a", "one", "The One"), Key("B", "b", "one"), Key("C", "c")))
    assert keys.has_owner("one")
    assert not keys.has_owner("two")
    assert [keys.display_name(owner) for owner in ("one", "two")] == ["The One", "two"]


def test_reloaded_key_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(GOOD)
    keys = load_keys(path)
    reload = KeyReload(keys, has_connect=False)

    def names_after(content: str) -> list[str]:
        path.write_text(content)
        reload.check_now()
        return [key.access_key for key in keys]

    # The file may have changed between the first read and the first check.
    assert names_after(GOOD + GOOD.replace("A", "C")) == ["A", "C"]
    assert names_after(GOOD.replace("A", "D")) == ["D"]
    assert not caplog.messages
    for broken in ("", "[[key]]", GOOD + GOOD):
        caplog.clear()
        assert names_after(broken) == ["D"]
        reload.check_now()
        assert len(caplog.messages) == 1, "once for each change"
    caplog.clear()
    path.unlink()
    reload.check_now()
    assert "No such file" in caplog.text
    (tmp_path / "x.creds").touch()
    caplog.clear()
    assert names_after(f'{GOOD}creds = "x.creds"\n') == ["D"]
    assert "creds" in caplog.text
    assert names_after(GOOD) == ["A"]


def test_key_file_is_checked_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(GOOD)
    keys, now = load_keys(path), 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    reload = KeyReload(keys, has_connect=False)
    reload.check()
    path.write_text(GOOD.replace("A", "other"))
    reload.check()
    assert keys.find("A")
    now = 101.0
    reload.check()
    assert keys.find("other")
