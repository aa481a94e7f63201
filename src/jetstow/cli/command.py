"""Run asynchronous functions as commands.

    @command(app, panel="Buckets")
    async def mb(session: Session, bucket: ...) -> Result:
        '''Create a bucket.'''

The command prints what the function returns or yields. An exception becomes a message and an exit
code. Ctrl-C cancels the function, so that it removes partial uploads and files. A second Ctrl-C
ends the process at once.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import signal
import sys
import traceback
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Final, TypeAlias, TypeVar

import typer

from jetstow.cli import errors, render, stdio
from jetstow.cli.arguments import COMMON_OPTIONS, AllowPlain, KeyFile, OriginalBucket
from jetstow.cli.connection import Settings
from jetstow.cli.help import Command
from jetstow.cli.render import Result
from jetstow.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])
Results: TypeAlias = Awaitable[Result | None] | AsyncGenerator[Result, None]

_KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY

_KEY_FILE: Final[dict[str, tuple[Any, Any]]] = {
    "key": (KeyFile, None),
    "allow_plain": (AllowPlain, False),
    "original_bucket": (OriginalBucket, None),
}


def command(
    app: typer.Typer,
    *,
    panel: str | None = None,
    without: Collection[str] = (),
    json_lines: bool = False,
    key_file: bool = False,
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> Callable[[F], F]:
    """Register an asynchronous function or generator as a command with its name.

    It has the common options except those in `without`. With `json_lines`, --json prints each
    result on a line as soon as it is yielded, not one document at the end. With `key_file`, the
    command has --key-file and its options, too. `new_event_loop` makes its event loop.
    """
    shared = (_KEY_FILE if key_file else {}) | {
        name: option for name, option in COMMON_OPTIONS.items() if name not in without
    }

    def register(function: F) -> F:
        def run(ctx: typer.Context, **arguments: Any) -> None:
            settings = ctx.find_root().obj
            settings = settings.overridden(**{name: arguments.pop(name) for name in shared})
            code = _run(
                settings,
                lambda session: function(session, **arguments),
                json_lines,
                new_event_loop,
            )
            raise typer.Exit(code)

        _session, *own = inspect.signature(function, eval_str=True).parameters.values()
        add_options(run, shared, own)
        run.__doc__ = function.__doc__
        app.command(function.__name__, cls=Command, rich_help_panel=panel)(run)
        return function

    return register


def add_options(
    function: Callable[..., Any],
    options: Mapping[str, tuple[Any, Any]],
    own: Iterable[inspect.Parameter] = (),
) -> None:
    """Give a function a signature that typer reads: a context, `own` parameters, options."""
    context = inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context)
    keywords = [parameter.replace(kind=_KEYWORD) for parameter in own]
    added = [
        inspect.Parameter(name, _KEYWORD, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    signature = inspect.Signature([context, *keywords, *added])
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}


def _run(
    settings: Settings,
    start: Callable[[Session], Results],
    json_lines: bool,
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] | None,
) -> int:
    """Run a command to its end. Return its exit code."""
    session = Session(settings)
    signals: list[int] = []
    notes: list[str] = []

    async def main() -> None:
        with _cancel_on_signals(signals):
            async with session:
                try:
                    await _print_results(session, start(session), json_lines)
                except asyncio.CancelledError as error:
                    notes.extend(errors.notes(error))
                    raise
        stdio.flush()

    try:
        with (
            log_to_stderr(settings.verbose),
            asyncio.Runner(loop_factory=new_event_loop) as runner,
        ):
            runner.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        stdio.discard_output()
        stdio.end_interrupted_line()
        for note in notes:
            errors.print_message(f"interrupted: {note}")
        return 128 + signals[0] if signals else errors.INTERRUPTED
    except BrokenPipeError:
        stdio.discard_output()
        return errors.BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - every error becomes a message and an exit code
        errors.report(session.explain(error), verbose=settings.verbose)
        return errors.exit_code(error)
    return session.exit_code


async def _print_results(session: Session, results: Results, json_lines: bool) -> None:
    """Print each result as it arrives; with --json, all at the end unless `json_lines`."""
    as_json, quiet = session.settings.json, session.settings.quiet
    if isinstance(results, Awaitable):
        if (result := await results) is not None:
            text = render.json_document(result.data) if as_json else result.text(quiet=quiet)
            await session.print(text)
        return
    collected = []
    try:
        async with aclosing(results):
            async for result in results:
                if not as_json:
                    await session.print(result.text(quiet=quiet))
                elif json_lines:
                    await session.print(render.json_line(result.data))
                else:
                    collected.append(result.data)
    finally:
        if as_json and not json_lines:
            await session.print(render.json_document(collected))


@contextmanager
def _cancel_on_signals(received: list[int]) -> Iterator[None]:
    """Cancel the current task on SIGTERM and SIGHUP. asyncio does so on SIGINT."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "called from a task"

    def on_signal(number: int) -> None:
        received.append(number)
        task.cancel()

    # Fails outside the main thread and on Windows. nohup ignores SIGHUP: leave it ignored.
    with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, on_signal, number)
    yield


class _MessageHandler(logging.Handler):
    """Prints log records in the form of the command's own messages."""

    def emit(self, record: logging.LogRecord) -> None:
        errors.print_message(render.printable(" ".join(record.getMessage().split())))
        if record.exc_info and sys.stderr is not None:
            traceback.print_exception(record.exc_info[1], file=sys.stderr)


@contextmanager
def log_to_stderr(verbose: bool) -> Iterator[None]:
    """Print jetstow's warnings; if `verbose`, all log records of the process."""
    logger = logging.getLogger() if verbose else logging.getLogger("jetstow")
    level, handler = logger.level, _MessageHandler()
    silenced = [] if verbose else [logging.getLogger(name) for name in ("nats", "asyncio")]
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    for other in silenced:
        other.disabled = True
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        for other in silenced:
            other.disabled = False
