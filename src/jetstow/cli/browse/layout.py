"""The layout of `jetstow browse`: panes below the list, or beside it in a wide terminal."""

from __future__ import annotations

from typing import Final

CSS: Final = """
Screen { overflow: hidden; }
#path { height: 1; text-style: bold; }
#body { height: 1fr; layout: vertical; }
.-wide #body { layout: horizontal; }
#list { height: 1fr; width: 1fr; }
#filter { border: none; height: 1; padding: 0; display: none; }
#transfers {
    height: auto; max-height: 4; display: none;
    text-wrap: nowrap; text-overflow: ellipsis;
}
Details { width: 1fr; height: 40%; min-height: 6; margin-top: 1; }
Details #info { display: none; }
Details.-info #info { display: block; }
Details.-info #preview { display: none; }
.-wide Details { width: 48%; height: 1fr; margin: 0 0 0 2; }
.-wide Details #info { display: block; height: 40%; }
.-wide Details #preview { display: block; height: 1fr; margin-top: 1; }
"""
