"""What runs while the console serves requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from jetstow.console.context import Context
from jetstow.console.history import sampling

BACKGROUND: Final[list[Callable[[Context], AbstractAsyncContextManager[None]]]] = [sampling]


@asynccontextmanager
async def running(context: Context) -> AsyncIterator[None]:
    """Run the background work of a console until the block ends."""
    async with AsyncExitStack() as stack:
        for start in BACKGROUND:
            await stack.enter_async_context(start(context))
        yield
