"""serve: run the S3 gateway."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jetstow.cli import help
from jetstow.cli.command import command
from jetstow.cli.errors import CliError, UsageError
from jetstow.cli.render import Result
from jetstow.cli.session import Session

if TYPE_CHECKING:
    import socket

    from prometheus_client import CollectorRegistry

    from jetstow.cli.gateway import GatewayOptions
    from jetstow.s3.admin import Admin
    from jetstow.s3.auth.keys import Key, Keys
    from jetstow.s3.server import Certificate

Listen = Annotated[str, typer.Option(metavar="HOST:PORT", help="The address to listen on.")]
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
    typer.Option(min=1, max=5, help="Copies of the data of new buckets in a cluster: 3 or 5."),
]
AdminAddress = Annotated[
    str | None,
    typer.Option("--admin", metavar="HOST:PORT", help="Serve /healthz, /readyz and /metrics."),
]
LogFormat = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--access-log", help="Log each request on stderr: text, or JSON lines."),
]
HttpsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Serve https: the certificate with its chain.")
]
HttpsKey = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The private key of the certificate.")
]
WorkerCount = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="The number of processes that serve.")
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
) -> AsyncGenerator[Result, None]:
    """Run the S3 gateway: clients of S3 use the buckets.

    Without --keys, it makes one key at random, and listens on loopback only. Ctrl-C or SIGTERM
    ends it after the requests in progress, which have 30 seconds.
    """
    try:
        from prometheus_client import CollectorRegistry

        from jetstow.cli.gateway import RECONNECT_FOREVER, GatewayOptions
        from jetstow.s3 import server
        from jetstow.s3.admin import Admin
        from jetstow.s3.events.publisher import publishing
        from jetstow.s3.lifecycle.run import expiring
    except ImportError as error:
        raise UsageError(f"serve needs the package jetstow[s3]: {error}") from error
    host, port = _parse_address("--listen", listen)
    if keys is None and not _is_loopback(host):
        raise UsageError(f"--listen {listen} is not on loopback: it needs --keys")
    certificate = _load_certificate(https_cert, https_key)
    loaded, key_file, is_new = await asyncio.to_thread(_load_keys, keys)
    client = await session.client(**RECONNECT_FOREVER)
    options = GatewayOptions(
        session.settings,
        loaded,
        tuple(base_domain or ()),
        tuple(website_domain or ()),
        public_acls,
        replicas,
        access_log,
        certificate,
    )
    async with AsyncExitStack() as stack:
        listener = server.listen(host, port)
        stack.callback(listener.close)
        url = f"http{'s' if certificate else ''}://{_authority(*listener.getsockname()[:2])}"
        registry = CollectorRegistry()
        admin_app, admin_url = Admin(client, await session.js(), registry), None
        try:
            if admin is not None:
                admin_listener = server.listen(*_parse_address("--admin", admin))
                await stack.enter_async_context(server.serving(admin_app, admin_listener))
                admin_url = f"http://{_authority(*admin_listener.getsockname()[:2])}"
            if workers == 1:
                run = _run_here(session, options, listener, admin_app, registry)
            else:
                run = _run_workers(workers, options, listener, admin_app, registry)
            running = await stack.enter_async_context(run)
            await stack.enter_async_context(publishing(client, await session.js()))
            await stack.enter_async_context(expiring(await session.js()))
            yield _started(url, admin_url, key_file, next(iter(loaded)), is_new)
            await asyncio.shield(running)
        except asyncio.CancelledError:
            return  # Ctrl-C or SIGTERM: the exit code is 0


@asynccontextmanager
async def _run_here(
    session: Session,
    options: GatewayOptions,
    listener: socket.socket,
    admin: Admin,
    registry: CollectorRegistry,
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the gateway in this process. Yield a future that ends only if it fails."""
    from jetstow.cli.gateway import running
    from jetstow.s3.observe import Metrics

    async with running(await session.client(), options, listener, Metrics(registry)) as task:
        admin.start()
        try:
            yield task
        finally:
            admin.stop()


@asynccontextmanager
async def _run_workers(
    count: int,
    options: GatewayOptions,
    listener: socket.socket,
    admin: Admin,
    registry: CollectorRegistry,
) -> AsyncIterator[asyncio.Future[None]]:
    """Run the gateway in several processes on one socket. Yield a future that never ends."""
    if os.name == "nt":
        raise UsageError("--workers needs a system other than Windows")
    from prometheus_client import multiprocess

    from jetstow.cli.gateway_worker import MODULE, WorkerTask
    from jetstow.s3.workers import WorkerError, Workers

    # The processes keep their metrics in files that this process reads.
    folder = tempfile.mkdtemp(prefix="jetstow-metrics-")
    multiprocess.MultiProcessCollector(registry, path=folder)
    processes = Workers(
        MODULE,
        WorkerTask(options, listener.fileno()),
        count=count,
        fd=listener.fileno(),
        environment={"PROMETHEUS_MULTIPROC_DIR": folder},
        on_exit=lambda pid: multiprocess.mark_process_dead(pid, folder),
    )
    try:
        await processes.start()
        admin.start(lambda: processes.all_running)
        yield asyncio.get_running_loop().create_future()
    except WorkerError as error:
        raise CliError(str(error)) from error
    finally:
        admin.stop()
        listener.close()  # else connections would wait in its queue
        await processes.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _parse_address(option: str, address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65536):
        raise UsageError(f"{option} {address} must be HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load_certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """Return the certificate, which can be loaded."""
    from jetstow.s3.server import Certificate

    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise UsageError("--https-cert and --https-key need each other")
    certificate = Certificate(chain, key)
    try:
        certificate.new_context()
    except (OSError, ValueError) as error:
        raise UsageError(f"--https-cert {chain} and --https-key {key}: {error}") from error
    return certificate


def _load_keys(path: Path | None) -> tuple[Keys, Path, bool]:
    """Return the keys, their file, and whether it was made now."""
    from jetstow import _embedded
    from jetstow.s3.auth.keys import KeyFileError, load_keys, load_or_generate_key

    try:
        if path is not None:
            return load_keys(path), path, False
        path = _embedded.home() / "s3-keys.toml"
        loaded, is_new = load_or_generate_key(path)
    except KeyFileError as error:
        raise UsageError(str(error)) from error
    return loaded, path, is_new


def _started(url: str, admin_url: str | None, key_file: Path, key: Key, is_new: bool) -> Result:
    """Return the addresses, and how to use them with the AWS command line."""
    secret = key.secret_key if is_new else f"(secret_key in {key_file})"
    return Result(
        {"url": url, "admin": admin_url, "keys": str(key_file)},
        [
            f"the S3 gateway runs at {url} until Ctrl-C",
            *([] if admin_url is None else [f"admin {admin_url}"]),
            f"keys  {key_file}",
            "",
            f"export AWS_ENDPOINT_URL={url} AWS_REGION=us-east-1",
            f"export AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY='{secret}'",
            "aws s3 ls",
        ],
    )


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        from jetstow.cli.gateway import new_event_loop
    except ImportError:  # without jetstow[s3], which the command reports
        return asyncio.new_event_loop()
    return new_event_loop()


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=help.SERVER, json_lines=True, new_event_loop=_new_event_loop)(serve)
