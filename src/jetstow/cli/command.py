"""A command: an asynchronous function, run with a session, its answers shown.

    @command(app, panel="Buckets")
    async def mb(session: Session, bucket: ...) -> Answer:
        '''Make a bucket.'''

What it returns, or yields one after another, is an `Answer`; what it raises is reported,
and becomes the exit code. Ctrl-C cancels it, so that it leaves as tidily as any program
that uses jetstow; a second Ctrl-C ends it where it stands.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from jetstow.cli import errors, parsers, render, stdio
from jetstow.cli.help import COMMON, Command
from jetstow.cli.render import Answer
from jetstow.cli.session import Session, Settings

F = TypeVar("F", bound=Callable[..., Any])
Answers = Awaitable[Answer | None] | AsyncGenerator[Answer, None]

Server = Annotated[
    str | None,
    typer.Option(
        "--server", "-s", metavar="URL", parser=parsers.server, rich_help_panel=COMMON,
        help="The NATS server. Without it: NATS_URL, else the selected nats context, else a "
        "server of its own.",
    ),
]  # fmt: skip
Creds = Annotated[
    Path | None,
    typer.Option(
        "--creds", metavar="FILE", exists=True, dir_okay=False, readable=True,
        rich_help_panel=COMMON, help="Credentials, as nsc makes them.",
    ),
]  # fmt: skip
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="TIME", parser=parsers.duration, rich_help_panel=COMMON,
        help="The longest silence of the server to wait through (default: 5s).",
    ),
]  # fmt: skip
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=COMMON, help="Answer in JSON, sizes in bytes.")
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", rich_help_panel=COMMON, help="Tell more, on stderr."),
]

Key = Annotated[
    bytes | None,
    typer.Option(
        "--key-file", metavar="FILE", parser=parsers.key, rich_help_panel=COMMON,
        help="A key of keygen's: objects are encrypted with it, or read.",
    ),
]  # fmt: skip

_SHARED: Final[dict[str, tuple[Any, Any]]] = {
    "server": (Server, None),
    "creds": (Creds, None),
    "timeout": (Timeout, None),
    "json": (Json, False),
    "verbose": (Verbose, False),
}
_KEY: Final[dict[str, tuple[Any, Any]]] = {"key": (Key, None)}


def command(
    app: typer.Typer,
    *,
    panel: str | None = None,
    without: Collection[str] = (),
    lines: bool = False,
    key: bool = False,
) -> Callable[[F], F]:
    """Register an asynchronous function or generator as a command of its name.

    It has the common options but those it is to be `without`. `lines` prints its answers as
    JSON lines when they come, not as one document. With `key` it also has --key-file.
    """
    shared = (_KEY if key else {}) | {
        name: option for name, option in _SHARED.items() if name not in without
    }

    def register(work: F) -> F:
        def run(ctx: typer.Context, **given: Any) -> None:
            settings = ctx.find_root().obj
            settings = settings.overridden(**{name: given.pop(name) for name in shared})
            raise typer.Exit(_run(settings, lambda session: work(session, **given), lines=lines))

        _, *own = inspect.signature(work, eval_str=True).parameters.values()  # but the session
        added = [
            inspect.Parameter(name, _KEYWORD, default=default, annotation=kind)
            for name, (kind, default) in shared.items()
        ]
        context = inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context)
        keywords = [parameter.replace(kind=_KEYWORD) for parameter in own]
        signature = inspect.Signature([context, *keywords, *added])
        run.__signature__ = signature  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
        run.__doc__ = work.__doc__
        app.command(work.__name__, cls=Command, rich_help_panel=panel)(run)
        return work

    return register


_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def _run(settings: Settings, work: Callable[[Session], Answers], *, lines: bool) -> int:
    """Run a command to its end, and return its exit code."""
    session = Session(settings)
    ended_by: list[int] = []

    async def main() -> None:
        with _cancelled_by_signals(ended_by):
            async with session:
                await _show(session, work(session), lines=lines)
        stdio.flush()

    try:
        with _logging(settings.verbose), asyncio.Runner() as runner:
            runner.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        stdio.forget_output()
        if stdio.is_terminal(sys.stderr):
            print(file=sys.stderr)  # the shell's next line is not to follow the ^C
        return 128 + ended_by[0] if ended_by else errors.INTERRUPTED
    except BrokenPipeError:
        stdio.forget_output()
        return errors.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - whatever it was, the user hears of it
        errors.report(error, verbose=settings.verbose)
        return errors.code(error)
    return session.code


async def _show(session: Session, answers: Answers, *, lines: bool) -> None:
    """Show each answer when it comes; as one JSON document, if not as lines, at the end."""
    as_json = session.settings.json
    if isinstance(answers, Awaitable):
        if (answer := await answers) is not None:
            await session.say(render.document(answer.data) if as_json else answer.text())
        return
    found = []
    try:
        async with aclosing(answers) as each:
            async for answer in each:
                found.append(answer.data)
                if lines or not as_json:
                    await session.say(render.line(answer.data) if as_json else answer.text())
                    found.clear()
    finally:
        if as_json and not lines:
            await session.say(render.document(found))


@contextmanager
def _cancelled_by_signals(ended_by: list[int]) -> Iterator[None]:
    """Leave tidily when asked to end, as after Ctrl-C, which asyncio sees to itself."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "called from a task"

    def end(number: int) -> None:
        ended_by.append(number)
        task.cancel()

    # Not in a thread, not on Windows, and not under nohup.
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, end, number)
    yield


class _Complaints(logging.Handler):
    """Warnings of the library, told as the command's own."""

    def emit(self, record: logging.LogRecord) -> None:
        errors.complain(render.clean(" ".join(self.format(record).split())))


@contextmanager
def _logging(verbose: bool) -> Iterator[None]:
    """Tell what jetstow warns of; if asked, everything that anybody notes."""
    told = logging.getLogger() if verbose else logging.getLogger("jetstow")
    level, handler = told.level, _Complaints()
    silenced = [] if verbose else [logging.getLogger(name) for name in ("nats", "asyncio")]
    told.addHandler(handler)
    told.setLevel(logging.DEBUG if verbose else logging.WARNING)
    for logger in silenced:
        logger.disabled = True
    try:
        yield
    finally:
        told.removeHandler(handler)
        told.setLevel(level)
        for logger in silenced:
            logger.disabled = False
