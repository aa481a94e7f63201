"""Local addresses and folders in place of those that a page names."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import Final

from tests.support.servers import free_port

_ADDRESS: Final = re.compile(
    r"(?P<host>(?:[\w-]+\.)*example\.com|localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(?P<port>\d{4,5}))?(?![\w.])"
)
_PORT_OPTION: Final = re.compile(r"(?P<option>--port[ =])(?P<port>\d{4,5})\b")
_LOCAL_HOST: Final = "localhost"


class Places:
    """Where the addresses and folders of a page are during a test.

    Every `host:port` of a page is another free port of this machine. The hosts are `localhost` and
    names below `example.com`; `0.0.0.0` is loopback. The folders of a server are
    folders in `folder`.
    """

    def __init__(self, folder: Path) -> None:
        self._ports: dict[tuple[str, str], int] = {}
        self._shown: dict[str, str] = {}
        self._folders = {
            "/opt/app/.venv/bin": Path(sysconfig.get_path("scripts")),
            "/usr/local/bin": Path(sysconfig.get_path("scripts")),
            "/etc/nats": folder,
            "/etc/jetstow": folder,
            "/opt/app": folder,
            "/var/lib/nats": folder / "data",
            "/var/backups": folder / "backups",
        }
        for path in self._folders.values():
            path.mkdir(exist_ok=True)

    def local(self, text: str) -> str:
        """Replace addresses and folders."""
        for shown, path in self._folders.items():
            text = re.sub(rf"(?<![\w.]){re.escape(shown)}(?![\w-])", str(path), text)
        text = _PORT_OPTION.sub(
            lambda m: f"{m['option']}{self._port(_LOCAL_HOST, m['port'])}", text
        )
        return _ADDRESS.sub(self._address, text)

    def shown(self, text: str) -> str:
        """Replace local addresses in an output by those of the page."""
        for local, shown in self._shown.items():
            text = text.replace(local, shown)
        return text

    def _address(self, match: re.Match[str]) -> str:
        host, port = match["host"], match["port"]
        if port is None:
            return _LOCAL_HOST if host.endswith("example.com") else host
        kept = _LOCAL_HOST if host.endswith("example.com") else host
        if host == "0.0.0.0":
            kept = "127.0.0.1"
        local = f"{kept}:{self._port(host, port)}"
        self._shown[local] = match[0]
        return local

    def _port(self, host: str, port: str) -> int:
        key = (_LOCAL_HOST if host == "127.0.0.1" else host, port)
        if key not in self._ports:
            self._ports[key] = free_port()
        return self._ports[key]
