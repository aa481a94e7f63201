"""find and du."""

from __future__ import annotations

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli


@pytest.fixture
def filled(cli: Cli, bucket: str) -> str:
    for name, size, tag in (("logs/a.csv", 10, "x"), ("logs/old/b.csv", 2_000, "y"), ("c", 1, "x")):
        cli.run("put", "-", f"{bucket}/{name}", "--tag", tag, stdin=b"." * size)
    return bucket


def find(cli: Cli, bucket: str, *options: str, below: str = "") -> list[str]:
    lines = cli.out("find", f"{bucket}{below}", *options).splitlines()
    return [line.removeprefix(f"{bucket}/") for line in lines]


def test_find_options(cli: Cli, filled: str) -> None:
    assert find(cli, filled) == ["c", "logs/a.csv", "logs/old/b.csv"]
    assert find(cli, filled, "--name", "*.csv") == ["logs/a.csv", "logs/old/b.csv"]
    assert find(cli, filled, "--name", "logs/*.csv") == ["logs/a.csv"]
    assert find(cli, filled, below="/logs/old") == ["logs/old/b.csv"]
    # As in the library, a pattern with a slash is compared with what follows the prefix.
    assert find(cli, filled, "--name", "old/*.csv", below="/logs/") == ["logs/old/b.csv"]
    assert find(cli, filled, "--name", "old/*.csv", below="/logs") == ["logs/old/b.csv"]
    assert find(cli, filled, "--tag", "x") == ["c", "logs/a.csv"]
    assert find(cli, filled, "--larger", "1K") == ["logs/old/b.csv"]
    assert find(cli, filled, "--smaller", "10") == ["c", "logs/a.csv"]
    assert find(cli, filled, "--older", "1h") == []
    assert len(find(cli, filled, "--newer", "1h")) == 3
    assert len(find(cli, filled, "--newer", "2020-01-01")) == 3
    assert find(cli, filled, "--older", "2020-01-01T12:00") == []


def test_find_prints_links_as_names(cli: Cli, filled: str) -> None:
    """The target of a link was on the line, so that the line was no name for another command."""
    cli.run("ln", f"{filled}/c", f"{filled}/link")
    assert find(cli, filled, "--name", "link") == ["link"]
    assert cli.out("find", filled, "--name", "link", "--long").endswith(f"link -> {filled}/c\n")


def test_find_output_formats(cli: Cli, filled: str) -> None:
    (match,) = cli.json("find", filled, "--name", "c")
    assert (match["name"], match["size"], match["tags"]) == ("c", 1, ["x"])
    assert cli.out("find", filled, "-0", "--tag", "x") == f"{filled}/c\0{filled}/logs/a.csv\0"
    assert "2.0 KiB" in cli.out("find", filled, "-l", "--name", "b.csv")
    cli.error(errors.USAGE, "find", filled, "-0", "--json")
    assert "12h" in cli.error(errors.USAGE, "find", filled, "--newer", "soon")
    cli.error(errors.NOT_FOUND, "find", f"{filled}-no")


def test_du(cli: Cli, filled: str) -> None:
    assert cli.json("du", filled, "-d", "2") == [
        {"path": f"{filled}/logs/", "objects": 2, "size": 2_010},
        {"path": f"{filled}/logs/old/", "objects": 1, "size": 2_000},
        {"path": filled, "objects": 3, "size": 2_011},
    ]
    assert cli.out("du", filled, "-d", "0").splitlines()[-1].split() == ["2.0", "KiB", "3", filled]
    assert cli.json("du", f"{filled}/logs/old/") == [
        {"path": f"{filled}/logs/old/", "objects": 1, "size": 2_000}
    ]
    assert cli.json("du", f"{filled}/nothing/")[0]["size"] == 0
