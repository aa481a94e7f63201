"""Write requirements/*.lock: exact versions for every platform, without the URL of a registry."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = "requirements/runtime.lock"
DEV = "requirements/dev.lock"
BENCH = "requirements/bench.lock"
FUZZ = "requirements/fuzz.lock"
S3_CLIENTS = "requirements/s3-clients.lock"


def compile_lock(output: str, *arguments: str) -> None:
    """Compile one lock file with `uv pip compile`.

    Raises: `SystemExit` (the file contains a URL).
    """
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    options = ["--universal", "--python-version", "3.11", "--no-header", "--quiet", "--upgrade"]
    command = [str(uv), "pip", "compile", *options, *arguments]
    subprocess.run([*command, "--output-file", output], cwd=ROOT, check=True)
    if "://" in (ROOT / output).read_text():
        raise SystemExit(f"{output} contains a URL")


if __name__ == "__main__":
    compile_lock(RUNTIME, "pyproject.toml")
    compile_lock(DEV, "pyproject.toml", "--group", "dev", "--constraint", RUNTIME)
    compile_lock(BENCH, "pyproject.toml", "--group", "bench", "--constraint", DEV)
    compile_lock(FUZZ, "pyproject.toml", "--group", "fuzz", "--constraint", DEV)
    compile_lock(S3_CLIENTS, "--group", "s3-clients")
