"""fsspec's abstract tests of file systems."""

from __future__ import annotations

import posixpath
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem, make_path_posix
from fsspec.tests import abstract

from jetstow.fs import JetstowFileSystem


class Fixtures(abstract.BaseAbstractFixtures):
    @pytest.fixture
    def fs_join(self) -> Any:
        return posixpath.join

    @pytest.fixture
    def fs_path(self, root: str) -> str:
        return f"{root}/abstract"

    @pytest.fixture
    def fs_sanitize_path(self) -> Any:
        return lambda path: path

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return True

    @pytest.fixture
    def local_fs(self) -> LocalFileSystem:
        return LocalFileSystem(auto_mkdir=True)

    @pytest.fixture
    def local_join(self) -> Any:
        return posixpath.join

    @pytest.fixture
    def local_path(self, tmp_path: Any) -> str:
        return make_path_posix(str(tmp_path))

    @pytest.fixture(autouse=True)
    def _folder(self, fs: JetstowFileSystem, root: str) -> None:
        """Make the folder: some tests use it before they write a file."""
        fs.mkdir(f"{root}/abstract")


class TestCopy(Fixtures, abstract.AbstractCopyTests):
    pass


class TestGet(Fixtures, abstract.AbstractGetTests):
    pass


class TestPut(Fixtures, abstract.AbstractPutTests):
    pass


class TestOpen(Fixtures, abstract.AbstractOpenTests):
    pass


class TestPipe(Fixtures, abstract.AbstractPipeTests):
    pass
