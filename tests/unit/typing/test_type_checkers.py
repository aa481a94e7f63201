"""mypy and pyright infer the types of both interfaces, and report mistakes.

basedpyright is pyright with a bundled Node.js. In its standard mode it reports what pyright does.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = ("async_mistakes.py", "async_program.py", "sync_mistakes.py", "sync_program.py")
FOLDER = Path(__file__).parent

Errors = dict[tuple[str, int], str]


def run(module: str, *options: str) -> str:
    """Run a type checker on all programs. Return its output."""
    result = subprocess.run(
        [sys.executable, "-m", module, *options, *(str(FOLDER / name) for name in PROGRAMS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode < 2, result.stdout + result.stderr
    return result.stdout


def mypy_errors(tmp_path: Path) -> Errors:
    """Return the errors of mypy's strict mode by file and line."""
    output = run("mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}")
    found = re.findall(r"^([^:\n]+):(\d+): error: (.*)$", output, re.MULTILINE)
    return {(Path(file).name, int(line)): message for file, line, message in found}


def pyright_errors(tmp_path: Path) -> Errors:
    """Return the errors of pyright's standard mode by file and line."""
    config = tmp_path / "pyrightconfig.json"
    config.write_text(json.dumps({"typeCheckingMode": "standard"}))
    output = run(
        "basedpyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(config)
    )
    report = json.loads(output)
    assert report["summary"]["filesAnalyzed"] == len(PROGRAMS)
    return {
        (Path(error["file"]).name, error["range"]["start"]["line"] + 1): error["message"]
        for error in report["generalDiagnostics"]
    }


@pytest.mark.parametrize("checker", [mypy_errors, pyright_errors])
def test_errors_are_those_marked(checker: Callable[[Path], Errors], tmp_path: Path) -> None:
    marked = {
        (name, number)
        for name in PROGRAMS
        for number, line in enumerate((FOLDER / name).read_text().splitlines(), 1)
        if line.endswith("# mistake")
    }
    assert {name for name, _ in marked} == {"async_mistakes.py", "sync_mistakes.py"}
    errors = checker(tmp_path)
    assert set(errors) == marked, errors
