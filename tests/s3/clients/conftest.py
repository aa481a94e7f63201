"""Clients that are programs, and the environment and options that clients need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

# Programs in an environment of their own: they pin botocore (requirements/s3-clients.lock).
BIN = Path(__file__).resolve().parents[3] / ".cache" / "s3-clients" / "bin"

Run = Callable[..., str]


@pytest.fixture
def environment(gateway: RunningGateway, tmp_path: Path) -> dict[str, str]:
    """The variables of a program that uses the gateway, without settings of this user."""
    # By default, the aws command line of version 1 presigns URLs with signature version 2.
    (tmp_path / "aws-config").write_text("[default]\ns3 =\n    signature_version = s3v4\n")
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
        "AWS_ENDPOINT_URL": gateway.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": OWNER.access_key,
        "AWS_SECRET_ACCESS_KEY": OWNER.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "NO_PROXY": "*",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run a program in the temporary directory, and return its standard output."""

    def run_program(*command: str, stdin: bytes = b"", code: int = 0) -> str:
        done = subprocess.run(
            command,
            input=stdin,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            timeout=50,
            check=False,
        )
        output = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == code, f"{command}: {done.returncode}\n{output}"
        return done.stdout.decode()

    return run_program


@pytest.fixture
def storage_options(gateway: RunningGateway) -> dict[str, str]:
    """The options of clients that are built on the `object_store` crate."""
    return {
        "aws_endpoint_url": gateway.url,
        "aws_region": REGION,
        "aws_access_key_id": OWNER.access_key,
        "aws_secret_access_key": OWNER.secret_key,
        "aws_allow_http": "true",
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files: an empty one, one in a folder, a name that is not ASCII, 9 MiB."""
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "empty").write_bytes(b"")
    (folder / "a b+c.txt").write_bytes(b"text")
    (folder / "sub" / "größe ☃").write_bytes(b"snow")
    (folder / "large").write_bytes(os.urandom(9 * 1024 * 1024))
    return folder
