"""Commands of other tools, and what they are called here."""

from __future__ import annotations

from typing import Final

_NATS: Final = {
    "add": "'jetstow mb BUCKET' for a bucket, or 'jetstow put FILE BUCKET/' for an object",
    "create": "'jetstow mb BUCKET'",
    "del": "'jetstow rm BUCKET/NAME' for an object, or 'jetstow rb BUCKET' for a bucket",
    "object": "one of its commands, such as 'jetstow put' or 'jetstow ls'",
}

_RCLONE: Final = {
    "check": "'jetstow verify', or 'jetstow sync --dry-run' to compare",
    "cleanup": "'jetstow gc'",
    "copy": "'jetstow cp -r', or 'jetstow sync' for new and changed files only",
    "copyto": "'jetstow cp'",
    "deletefile": "'jetstow rm BUCKET/NAME'",
    "link": "'jetstow ln'",
    "lsd": "'jetstow ls'",
    "lsf": "'jetstow ls'",
    "lsjson": "'jetstow ls -r --json'",
    "lsl": "'jetstow ls -lr'",
    "mkdir": "'jetstow mb BUCKET'",
    "move": "'jetstow mv'",
    "moveto": "'jetstow mv'",
    "ncdu": "'jetstow du'",
    "purge": "'jetstow rm -r BUCKET/FOLDER/', or 'jetstow rb BUCKET' for a bucket",
    "rcat": "'jetstow put - BUCKET/NAME'",
    "rmdir": "'jetstow rb BUCKET'",
    "rmdirs": "'jetstow rb BUCKET'",
    "settier": "'jetstow edit'",
    "size": "'jetstow du'",
    "touch": "'jetstow put /dev/null BUCKET/NAME' for an empty object",
    "tree": "'jetstow ls -r'",
}

_OTHERS: Final = {
    "delete": "'jetstow rm BUCKET/NAME' for an object, or 'jetstow rb BUCKET' for a bucket",
    "describe": "'jetstow info'",
    "dir": "'jetstow ls'",
    "download": "'jetstow get', or 'jetstow cp -r' for a folder",
    "export": "'jetstow backup'",
    "head": "'jetstow info', or 'jetstow cat --length N'",
    "import": "'jetstow restore'",
    "list": "'jetstow ls'",
    "remove": "'jetstow rm BUCKET/NAME' for an object, or 'jetstow rb BUCKET' for a bucket",
    "rename": "'jetstow mv'",
    "rsync": "'jetstow sync'",
    "s3": "one of its commands, such as 'jetstow cp' or 'jetstow ls'",
    "search": "'jetstow find'",
    "set": "'jetstow edit'",
    "show": "'jetstow info'",
    "stat": "'jetstow info'",
    "tail": "'jetstow watch'",
    "update": "'jetstow edit'",
    "upload": "'jetstow put', or 'jetstow cp -r' for a folder",
}

# Commands of `nats object`, rclone, `aws s3` and file systems that jetstow does not have.
SYNONYMS: Final = _OTHERS | _RCLONE | _NATS
