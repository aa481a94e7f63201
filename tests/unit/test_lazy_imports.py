"""What an import loads: little until a name is used, and the same names as before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jetstow
import jetstow.sync

# They take most of the time of the imports.
SLOW = ("nats", "asyncio", "typer", "opentelemetry", "jetstow.store", "jetstow.client")


def loaded_by(program: str) -> set[str]:
    """Return the modules of `SLOW` that a new process has loaded after a program."""
    code = f"{program}\nimport sys\nprint(*[name for name in {SLOW!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("name", ["jetstow", "jetstow.sync", "jetstow.cli"])
def test_import_of_a_package_is_lean(name: str) -> None:
    assert loaded_by(f"import {name}") == set()


def test_version_is_printed_without_typer() -> None:
    program = (
        "import sys\nsys.argv = ['jetstow', '--version']\nimport jetstow.cli\njetstow.cli.main()"
    )
    assert loaded_by(program) == {"jetstow", jetstow.__version__}


def test_commands_are_defined_without_nats() -> None:
    assert loaded_by("import jetstow.cli.app") == {"asyncio", "typer"}


def test_connect_loads_no_telemetry() -> None:
    assert "opentelemetry" not in loaded_by("import jetstow\njetstow.connect")


def stated_names(package: object) -> dict[str, str]:
    """Return the names that type checkers see in a package, and their modules."""
    (block,) = (
        node
        for node in ast.parse(Path(str(package.__file__)).read_text()).body  # type: ignore[attr-defined]
        if isinstance(node, ast.If)
    )
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", [jetstow, jetstow.sync])
def test_names_are_those_of_type_checkers(package: object) -> None:
    stated = stated_names(package)
    names: dict[str, list[str]] = package._NAMES  # type: ignore[attr-defined]
    assert {name: module for module, group in names.items() for name in group} == stated
    assert stated.keys() == set(package.__all__) - {"__version__"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", ["jetstow", "jetstow.sync"])
def test_star_import_and_dir_have_all_names(package: str) -> None:
    program = f"""
import {package} as package
before = dir(package)
from {package} import *
missing = [name for name in package.__all__ if name not in before or name not in globals()]
print(missing, "TYPE_CHECKING" in before)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[] False\n"


@pytest.mark.parametrize("name", ["client", "errors", "models", "store", "types"])
def test_submodule_is_an_attribute(name: str) -> None:
    program = f"import jetstow\nprint(jetstow.{name}.__name__)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"jetstow.{name}\n"


@pytest.mark.parametrize("package", [jetstow, jetstow.sync])
def test_unknown_name_raises_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        package.conect  # type: ignore[attr-defined]  # noqa: B018
