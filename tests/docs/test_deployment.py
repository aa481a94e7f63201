"""The checks of services, crontabs and images detect mistakes, and run what the files run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs import deployment
from tests.docs.pages import Block
from tests.docs.places import Places
from tests.docs.reader import Reader

UNIT = "[Unit]\nDescription=a\n\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo $A > a.txt'\n"


def run(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    check = deployment.check_of(path)
    assert check
    check(path, dict(os.environ))


def test_service_is_run_with_its_variables(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("# a.env\nA=from-the-file\n", encoding="utf-8")
    run(tmp_path / "a.service", f"{UNIT}EnvironmentFile={tmp_path / 'a.env'}\n")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "from-the-file\n"


def test_crontab_is_run(tmp_path: Path) -> None:
    run(tmp_path / "nightly", "A=1\n0 3 * * * app echo $A-$(date +\\%Y) > a.txt\n")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").startswith("1-2")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.service", f"{UNIT}Enviroment=A=1\n"),
        ("a.service", UNIT.replace("echo", "no-such-program")),
        ("a.timer", "[Timer]\nOnCalendar=daily\n"),
        ("nightly", "0 3 * * app true\n"),
        ("nightly", "0 3 * * * app date +%u\n"),
        ("nightly", "0 3 * * * app false\n"),
        ("Containerfile", "FROM python:3.12\nRUN pip install no-such-package\nCMD []\n"),
        ("Containerfile", "FROM python:3.12\nCOPY missing.py .\nCMD []\n"),
        ("Containerfile", "FROM python:3.12\nRUNN true\nCMD []\n"),
    ],
    ids=[
        "unknown setting", "failing service", "timer alone", "four times", "unescaped percent",
        "failing entry", "unknown package", "missing file", "unknown instruction",
    ],
)  # fmt: skip
def test_mistake_is_detected(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(AssertionError):
        run(tmp_path / name, text)


def test_places_are_local_and_shown_as_on_the_page(tmp_path: Path) -> None:
    places = Places(tmp_path)
    text = "nats://n1.example.com:4222 nats://n2.example.com:4222 --config /etc/nats/a.conf"
    local = places.local(text)
    first, second, _, config = local.split()
    assert first != second
    assert first.startswith("nats://localhost:")
    assert config == str(tmp_path / "a.conf")
    assert places.local(text) == local
    assert places.shown(f"{first} {second}") == text.partition(" --")[0]


def test_port_option_is_the_port_of_localhost(tmp_path: Path) -> None:
    option, url = Places(tmp_path).local("--port 8000 http://127.0.0.1:8000/").split(" http")
    assert option.split()[1] == url.split(":")[2].rstrip("/")
    assert option != "--port 8000"


def test_background_program_of_a_page_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = (
        "# wait.py\nimport os, time\nopen('pid', 'w').write(str(os.getpid()))\n"
        "print('ready', flush=True)\ntime.sleep(1000)\n"
    )
    with Reader(tmp_path) as reader:
        reader.read(
            [
                Block("a.md", 1, "python", source),
                Block("a.md", 9, "console", "$ python wait.py &\n$ kill -9 %1\n"),
            ]
        )
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_background_program_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Reader(tmp_path) as reader, pytest.raises(AssertionError, match="No such file"):
        reader.read([Block("a.md", 1, "console", "$ python missing.py &\n")])
