"""The completion scripts of bash, zsh and fish, and what they call.

typer's own scripts split names at spaces and colons. These pass the line up to the cursor as it was
typed. The answer is one completion a line. For bash it is quoted; zsh and fish quote it themselves.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout, suppress
from typing import Final

LINE_VARIABLE: Final = "_JETSTOW_COMPLETE_LINE"

# What bash replaces: the end of the word, from the last character in COMP_WORDBREAKS.
WORD_VARIABLE: Final = "_JETSTOW_COMPLETE_WORD"

_BASH: Final = """
%(complete_func)s() {
    mapfile -t COMPREPLY < <(
        %(autocomplete_var)s=complete_bash \\
        _JETSTOW_COMPLETE_LINE="${COMP_LINE:0:COMP_POINT}" \\
        _JETSTOW_COMPLETE_WORD="$2" "$1" 2>/dev/null
    )
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""

_ZSH: Final = """
#compdef %(prog_name)s

%(complete_func)s() {
    local -a found folders
    found=("${(@f)$(
        %(autocomplete_var)s=complete_bash \\
        _JETSTOW_COMPLETE_LINE="${(j: :)words[1,CURRENT-1]} $PREFIX" \\
        "$words[1]" 2>/dev/null
    )}")
    found=("${(@)found:#}")
    if (( ! $#found )); then
        _files
        return
    fi
    folders=("${(@M)found:#*/}")
    found=("${(@)found:#*/}")
    (( $#folders )) && compadd -S '' -a folders
    (( $#found )) && compadd -a found
}

compdef %(complete_func)s %(prog_name)s
"""

_FISH: Final = """
function %(complete_func)s
    set -lx %(autocomplete_var)s complete_bash
    set -lx _JETSTOW_COMPLETE_LINE (commandline -cp | string collect)
    set -l found (%(prog_name)s 2>/dev/null)
    if set -q found[1]
        printf '%%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command %(prog_name)s --no-files --arguments "(%(complete_func)s)"
"""


def use_scripts() -> None:
    """Make `--show-completion` and `--install-completion` use these scripts.

    typer has no public way to replace its own. A version without this name keeps them.
    """
    with suppress(ImportError):
        from typer._completion_shared import _completion_scripts

        _completion_scripts.update({"bash": _BASH, "zsh": _ZSH, "fish": _FISH})


def run(app: Callable[[], object]) -> None:
    """Print the completions of the last word of the line, which `app` finds."""
    line, replaced = os.environ[LINE_VARIABLE], os.environ.get(WORD_VARIABLE)
    words, current, quote = split_line(line)
    os.environ["COMP_WORDS"] = shlex.join([*words, current])
    os.environ["COMP_CWORD"] = str(len(words))
    output = io.StringIO()
    with redirect_stdout(output), suppress(SystemExit):
        app()
    found: Iterable[str] = filter(None, output.getvalue().split("\n"))
    if replaced is not None:
        kept = _kept_length(current, replaced)
        found = (quoted(completion[kept:], quote) for completion in found)
    sys.stdout.writelines(f"{completion}\n" for completion in found)


def _kept_length(current: str, replaced: str) -> int:
    """Return the length of the start of the current word that bash keeps.

    After an open quote, bash passes the word that it replaces without the quote.
    """
    candidates = (replaced, split_line(replaced)[1])
    length = max((len(text) for text in candidates if current.endswith(text)), default=0)
    return len(current) - length


def quoted(text: str, quote: str) -> str:
    """Return text as bash reads it after an open quote, or without one.

    With `-o filenames`, bash quotes completions itself, but not `$` and backquotes outside of
    quotes: the name of an object would be run as a command (measured on 5.2).
    """
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        # A backslash does not protect an exclamation mark there.
        return re.sub(r'[$`"\\]', r"\\\g<0>", text).replace("!", "\"'!'\"")
    return re.sub(r"[^\w./:=@%+,-]", r"\\\g<0>", text)


def split_line(line: str) -> tuple[list[str], str, str]:
    """Split a line as a shell does. Return the complete words, the last one, and its open quote.

    The last word is empty after a space. Without an open quote, the third value is empty.
    """
    words: list[str] = []
    word: list[str] = []
    in_word, quote = False, ""
    characters = iter(line)
    for char in characters:
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"':
                escaped = next(characters, "")
                word.append(escaped if escaped in '$`"\\' else char + escaped)
            else:
                word.append(char)
        elif char.isspace():
            if in_word:
                words.append("".join(word))
            word, in_word = [], False
        else:
            in_word = True
            if char in "'\"":
                quote = char
            else:
                word.append(next(characters, "") if char == "\\" else char)
    return words, "".join(word), quote
