"""serve: run the S3 gateway."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jetstow.cli import help
from jetstow.cli.addresses import authority, is_loopback, parse_address
from jetstow.cli.addresses import listen as listen_on
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError, missing_packages
from jetstow.cli.gateway_files import load_certificate, load_gateway_keys
from jetstow.cli.render import Result
from jetstow.cli.session import Session
from jetstow.cli.stdio import end_interrupted_line

if TYPE_CHECKING:
    import socket

    from jetstow import JetStreamContext
    from jetstow.s3.auth.keys import Key

Listen = Annotated[
    str,
    typer.Option(metavar="HOST:PORT", help="The address to listen on (default: 127.0.0.1:9000)."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="The access keys (TOML); default: one random key."),
]
BaseDomain = Annotated[
    list[str] | None,
    typer.Option(metavar="DOMAIN", help="BUCKET.DOMAIN is a bucket, too; may be repeated."),
]
WebsiteDomain = Annotated[
    list[str] | None,
    typer.Option(metavar="DOMAIN", help="BUCKET.DOMAIN is a website; may be repeated."),
]
PublicAcls = Annotated[
    bool, typer.Option("--public-acls", help="Let public ACLs give access to other callers.")
]
Replicas = Annotated[
    int,
    typer.Option(
        min=1,
        max=5,
        metavar="NUMBER",
        help="Copies of the data of new buckets in a cluster: 3 or 5.",
    ),
]
AdminAddress = Annotated[
    str | None,
    typer.Option("--admin", metavar="HOST:PORT", help="Serve /healthz, /readyz and /metrics."),
]
LogFormat = Annotated[
    Literal["text", "json"] | None,
    typer.Option(
        "--access-log", metavar="text|json", help="Log each request on stderr: text, or JSON lines."
    ),
]
HttpsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Serve https: the certificate with its chain.")
]
HttpsKey = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The private key of the certificate.")
]
WorkerCount = Annotated[
    int,
    typer.Option(
        "--workers",
        min=1,
        max=64,
        metavar="NUMBER",
        help="The number of processes that serve (default: 1).",
    ),
]
NoConsole = Annotated[bool, typer.Option("--no-console", help="Do not serve the web console.")]
PreviewAddress = Annotated[
    str | None,
    typer.Option(
        "--preview",
        metavar="HOST:PORT",
        help="Serve the console's previews there; default on loopback: a free port.",
    ),
]


async def serve(
    session: Session,
    listen: Listen = "127.0.0.1:9000",
    keys: KeyFile = None,
    base_domain: BaseDomain = None,
    website_domain: WebsiteDomain = None,
    public_acls: PublicAcls = False,
    replicas: Replicas = 1,
    admin: AdminAddress = None,
    access_log: LogFormat = None,
    https_cert: HttpsCert = None,
    https_key: HttpsKey = None,
    workers: WorkerCount = 1,
    no_console: NoConsole = False,
    preview: PreviewAddress = None,
) -> AsyncGenerator[Result, None]:
    """Run the S3 gateway: clients of S3 use the buckets.

    Without --keys, it makes one key at random, and listens on loopback only. With the package
    jetstow[console], it has a web console at /_console/. Ctrl-C or SIGTERM ends it after the
    requests in progress, which have 30 seconds.
    """
    try:
        from prometheus_client import CollectorRegistry

        from jetstow.cli.gateway import CONNECTION_OPTIONS, GatewayOptions, Listeners
        from jetstow.cli.gateway_processes import run_gateway
        from jetstow.s3 import server
        from jetstow.s3.admin import Admin
        from jetstow.s3.events.publisher import publishing
        from jetstow.s3.lifecycle.run import expiring
    except ImportError as error:
        raise missing_packages("serve", "s3", error) from error
    host, _ = parse_address("--listen", listen)
    if keys is None and not is_loopback(host):
        raise UsageError(f"--listen {listen} is not on loopback: it needs --keys")
    certificate = load_certificate(https_cert, https_key)
    has_console = not no_console and importlib.util.find_spec("starlette") is not None
    if preview is not None and not has_console:
        raise UsageError("--preview needs the console: pip install 'jetstow[console]'")
    loaded, key_file, is_new = await asyncio.to_thread(load_gateway_keys, keys)
    client = await session.client(**CONNECTION_OPTIONS)
    await _check_jetstream(await session.js())
    options = GatewayOptions(
        session.settings,
        loaded,
        tuple(base_domain or ()),
        tuple(website_domain or ()),
        public_acls,
        replicas,
        access_log,
        certificate,
        has_console,
    )
    async with AsyncExitStack() as stack:
        listener = listen_on("--listen", listen)
        stack.callback(listener.close)
        previews = _listen_for_previews(preview, host) if has_console else None
        listeners = Listeners(listener, previews)
        if previews is not None:
            stack.callback(previews.close)
        url = f"http{'s' if certificate else ''}://{authority(*listener.getsockname()[:2])}"
        registry = CollectorRegistry()
        admin_app, admin_url = Admin(client, await session.js(), registry), None
        try:
            if admin is not None:
                admin_listener = listen_on("--admin", admin)
                await stack.enter_async_context(server.serving(admin_app, admin_listener))
                admin_url = f"http://{authority(*admin_listener.getsockname()[:2])}"
            processes = run_gateway(workers, client, options, listeners, admin_app, registry)
            running = await stack.enter_async_context(processes)
            await stack.enter_async_context(publishing(client, await session.js()))
            await stack.enter_async_context(expiring(await session.js()))
            yield _started(
                url, f"{url}/_console/" if has_console else None, admin_url,
                key_file, next(iter(loaded)), is_new,
            )  # fmt: skip
            await asyncio.shield(running)
        except asyncio.CancelledError:
            end_interrupted_line()
            return  # Ctrl-C or SIGTERM: the exit code is 0


def _listen_for_previews(address: str | None, host: str) -> socket.socket | None:
    """Return the listener for previews, which have another origin than the console.

    Without an address, there are previews on loopback only: a firewall may close the free port.
    """
    from jetstow.s3 import server

    if address is not None:
        return listen_on("--preview", address)
    return server.listen(host, 0) if is_loopback(host) else None


async def _check_jetstream(js: JetStreamContext) -> None:
    """Check that the server has JetStream. A cluster without a leader may get one later.

    Raises: `JetStreamUnavailableError`.
    """
    from jetstow._core.protocol.api_errors import NO_LEADER
    from jetstow.errors import JetstowError, JetStreamUnavailableError

    try:
        await js.object_store_names()
    except JetStreamUnavailableError as error:
        if error.err_code != NO_LEADER:
            raise
    except JetstowError:
        pass


def _started(
    url: str,
    console_url: str | None,
    admin_url: str | None,
    key_file: Path,
    key: Key,
    is_new: bool,
) -> Result:
    """Return the addresses, and how to use them with the AWS command line."""
    return Result(
        {"url": url, "console": console_url, "admin": admin_url, "keys": str(key_file)},
        [
            f"the S3 gateway runs at {url} until Ctrl-C",
            *([] if console_url is None else [f"console  {console_url}"]),
            *([] if admin_url is None else [f"admin    {admin_url}"]),
            f"keys     {key_file}",
            "",
            "to use it with the aws command line:",
            "",
            f"export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1",
            *_export_key(key, key_file, is_new),
            "aws s3 ls",
        ],
    )


def _export_key(key: Key, key_file: Path, is_new: bool) -> list[str]:
    """Return commands of a shell that set the key. A secret is shown once, when it is new."""
    if not is_new:
        return [f"# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: a key of {key_file}"]
    return [
        f"export AWS_ACCESS_KEY_ID={key.access_key}",
        f"export AWS_SECRET_ACCESS_KEY='{key.secret_key}'",
    ]


def new_gateway_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of a gateway."""
    try:
        from jetstow.cli.gateway import new_event_loop
    except ImportError:  # without jetstow[s3], which the command reports
        return asyncio.new_event_loop()
    return new_event_loop()


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=help.SERVER, json_lines=True, new_event_loop=new_gateway_loop)(serve)
