"""The tasks of the clients, and the figures that they produce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

MIB = 1 << 20
GIB = 1 << 30

Kind = Literal["MiB/s", "per second", "s", "ms", "rounds"]

PEERS = ("nats-py", "natsrpy", "natsio", "nats.js")
# Another revision of jetstow. It is no peer in the targets.
PREVIOUS = "previous"
OURS = ("jetstow", PREVIOUS)
ALL = ("limit", "jetstow", *PEERS, PREVIOUS)
# nats.js uses SHA-256 of node if it is configured. Its default, in JavaScript, takes most of the
# time of a large transfer. Both are measured once; all other tasks use node's.
ALL_WITH_NATIVE_JS = (*ALL, "nats.js native")
ALL_AT_THEIR_BEST = tuple(f"{name} native" if name == "nats.js" else name for name in ALL)


@dataclass(frozen=True)
class Measure:
    """One figure of the report."""

    key: str
    title: str
    kind: Kind
    group: str


@dataclass(frozen=True)
class Task:
    """An operation that several clients run in turn, repeatedly."""

    key: str
    op: str
    clients: tuple[str, ...] = ALL
    size: int = 0
    count: int = 0
    at_once: int = 1
    names: Mapping[str, str] = field(default_factory=dict)
    """The measure of each part of the operation, if its key is not the name of the part."""
    seeded: Literal["", "object", "names"] = ""
    """All clients read one bucket with an object or with many names; "": each gets a new one."""
    storage: str = "file"
    replicas: int = 1
    max_repeats: int = 0
    timeout: float = 120.0
    flags: Mapping[str, object] = field(default_factory=dict)
    through_proxy: bool = False
    round_trip: float = 0.0
    """How much longer a round trip takes, in seconds: through the proxy."""


@dataclass(frozen=True)
class Scale:
    """The sizes and counts of all tasks."""

    large: int = 256 * MIB
    slow_get: int = 16 * MIB
    file: int = GIB
    together: int = 128 * MIB
    far: int = 16 * MIB
    small: int = 300
    small_far: int = 20
    names: tuple[int, int] = (10_000, 100_000)

    @property
    def name(self) -> str:
        return "full" if self == Scale() else "quick"


QUICK = Scale(16 * MIB, 4 * MIB, 32 * MIB, 16 * MIB, 2 * MIB, 40, 3, (500, 2_000))

# Round trips of the tasks over a slow link, in milliseconds.
ROUND_TRIPS = (20, 100)

# The parts of small objects on three replicas and over a slow link.
SMALL_PARTS = ("put-small", "put-small-at-once", "replace-small", "get-small", "get-small-at-once")


def size_of(size: int) -> str:
    return f"{size >> 30} GiB" if size >= GIB else f"{size >> 20} MiB"


def measures(scale: Scale) -> list[Measure]:
    """Return every figure in the order of the report."""
    large, file = size_of(scale.large), size_of(scale.file)
    together = f"16 × {size_of(scale.together // 16)}"
    few, many = (f"{count:,}" for count in scale.names)
    rows: list[Row] = [
        ("put", f"put {large} from memory", "MiB/s", "large"),
        ("get", f"get {large} into memory", "MiB/s", "large"),
        ("get-kept", f"get {large}, kept and hashed, by a plain socket", "MiB/s", "large"),
        ("get-into", f"get {large} into the caller's buffer", "MiB/s", "large"),
        ("get-less", f"get {size_of(scale.slow_get)} into memory", "MiB/s", "large"),
        ("stream", f"stream {large}, verified, not kept", "MiB/s", "large"),
        ("encrypted-put", f"encrypted: put {large}", "MiB/s", "large"),
        ("encrypted-stream", f"encrypted: stream {large}", "MiB/s", "large"),
        ("put-file", f"put a file of {file}", "MiB/s", "file"),
        ("get-file", f"get {file} into a file", "MiB/s", "file"),
        *_small_rows("", "", "small"),
        ("put-undated", "put 1 KiB with dated=False, one after another", "per second", "small"),
        ("put-undated-at-once", "put 1 KiB with dated=False, 64 at once", "per second", "small"),
        ("replace-undated", "replace 1 KiB with dated=False", "per second", "small"),
        ("info-small", "get_info, one after another", "per second", "small"),
        ("info-small-at-once", "get_info, 64 at once", "per second", "small"),
        ("direct-get", "one plain Direct Get", "per second", "small"),
        ("many-put", f"put {together} at once", "MiB/s", "many"),
        ("one-put", f"put {size_of(scale.together)} as one", "MiB/s", "many"),
        ("many-get", f"get {together} at once", "MiB/s", "many"),
        ("one-get", f"get {size_of(scale.together)} as one", "MiB/s", "many"),
        ("list-few", f"list {few} objects", "s", "list"),
        ("list-many", f"list {many} objects", "s", "list"),
        ("range", f"1 KiB from the middle of {file}", "ms", "range"),
        ("range-rounds", "the same in round trips", "rounds", "range"),
        ("memory-put", f"memory storage: put {large}", "MiB/s", "memory"),
        ("memory-get", f"memory storage: get {large}", "MiB/s", "memory"),
        ("r3-put", f"R3: put {large}", "MiB/s", "r3"),
        ("r3-get", f"R3: get {large}", "MiB/s", "r3"),
        ("r3-many-put", f"R3: put {together} at once", "MiB/s", "r3"),
        *_small_rows("r3-", "R3: ", "r3"),
        *(row for milliseconds in ROUND_TRIPS for row in _far_rows(scale, milliseconds)),
        ("sha256", "SHA-256 alone", "MiB/s", "context"),
    ]
    return [Measure(*row) for row in rows]


Row = tuple[str, str, Kind, str]


def _small_rows(prefix: str, where: str, group: str) -> list[Row]:
    titles = {
        "put-small": "put 1 KiB, one after another",
        "put-small-at-once": "put 1 KiB, 64 at once",
        "replace-small": "replace 1 KiB, one after another",
        "get-small": "get 1 KiB, one after another",
        "get-small-at-once": "get 1 KiB, 64 at once",
    }
    return [(f"{prefix}{key}", f"{where}{title}", "per second", group)
            for key, title in titles.items()]  # fmt: skip


def _far_rows(scale: Scale, milliseconds: int) -> list[Row]:
    prefix, where, size = f"rtt{milliseconds}-", f"{milliseconds} ms: ", size_of(scale.far)
    return [
        (f"{prefix}put", f"{where}put {size}", "MiB/s", "rtt"),
        (f"{prefix}stream", f"{where}stream {size}", "MiB/s", "rtt"),
        *_small_rows(prefix, where, "rtt"),
    ]


def tasks(scale: Scale) -> list[Task]:
    """Return every task in the order of the run."""
    large, few, many = scale.large, *scale.names
    return [
        Task("sha256", "sha256", ("limit",), large),
        Task("put", "put", ALL_WITH_NATIVE_JS, large),
        # nats-py's get copies all received bytes at every chunk, so its time grows with the square
        # of the size, to minutes. All clients also read a small object.
        Task(
            "get",
            "get",
            _without_nats_py(ALL_WITH_NATIVE_JS),
            large,
            seeded="object",
            flags={"more": True},
        ),
        Task(
            "get",
            "get",
            ALL_WITH_NATIVE_JS,
            scale.slow_get,
            names={"get": "get-less"},
            seeded="object",
        ),
        Task("stream", "stream", ALL_WITH_NATIVE_JS, large, seeded="object"),
        Task("encrypted", "encrypted", OURS, large),
        *_files(scale),
        Task("small", "small", count=scale.small, at_once=64),
        Task(
            "small",
            "small",
            ("jetstow",),
            count=scale.small,
            at_once=64,
            names={part: part.replace("small", "undated") for part in SMALL_PARTS[:3]},
            flags={"parts": ["put"], "view": "undated"},
        ),
        Task("small", "direct-get", ("limit", "nats-py"), MIB, scale.small * 4, seeded="object"),
        *_many(scale),
        Task("list", "list", count=few, names={"list": "list-few"}, seeded="names"),
        Task(
            "list", "list", count=many, names={"list": "list-many"}, seeded="names", max_repeats=3
        ),
        *_other_storage(scale),
        *(task for milliseconds in ROUND_TRIPS for task in _far(scale, milliseconds)),
    ]


def _without_nats_py(clients: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(client for client in clients if client != "nats-py")


def _files(scale: Scale) -> list[Task]:
    size = scale.file
    return [
        Task("file", "put-file", ALL_AT_THEIR_BEST, size, max_repeats=3, timeout=300),
        Task(
            "file", "get-file", ALL_AT_THEIR_BEST, size, seeded="object", max_repeats=3, timeout=300
        ),
        Task("range", "range", OURS, size, seeded="object"),  # no other client reads ranges
        Task(
            "range",
            "range",
            ("jetstow",),
            size,
            names={"range": "range-rounds"},
            seeded="object",
            max_repeats=1,
            through_proxy=True,
        ),
    ]


def _many(scale: Scale) -> list[Task]:
    size, one = scale.together, {"one": True}
    return [
        Task(
            "many", "many", _without_nats_py(ALL_AT_THEIR_BEST), size, 16, max_repeats=3, flags=one
        ),
        # Without a large get: see "get" above.
        Task("many", "many", ("nats-py",), size, 16, max_repeats=3),
    ]


def _other_storage(scale: Scale) -> list[Task]:
    """Return the tasks in memory storage and with three replicas."""
    result: list[Task] = []
    for prefix, storage, replicas in (("memory", "memory", 1), ("r3", "file", 3)):
        plain = Task(prefix, "", ALL_AT_THEIR_BEST, scale.large, storage=storage, replicas=replicas)
        plain = replace(plain, max_repeats=3)
        get = replace(plain, op="get", names={"get": f"{prefix}-get"}, seeded="object")
        result += [
            replace(plain, op="put", names={"put": f"{prefix}-put"}),
            replace(get, clients=_without_nats_py(ALL_AT_THEIR_BEST)),
            # A smaller object, to its advantage: see "get" above.
            replace(get, clients=("nats-py",), size=scale.slow_get),
        ]
        if replicas > 1:
            result.append(_small("r3-", replace(plain, clients=ALL, size=0, count=scale.small)))
            many = replace(plain, op="many", size=scale.together, count=16)
            names = {"many-put": "r3-many-put"}
            result.append(replace(many, names=names, flags={"puts_only": True}))
    return result


def _small(prefix: str, like: Task) -> Task:
    """Return a task of puts and gets of small objects, whose figures have that prefix."""
    names = {part: f"{prefix}{part}" for part in SMALL_PARTS}
    return replace(like, op="small", at_once=64, names=names, flags={"parts": ["put", "get"]})


def _far(scale: Scale, milliseconds: int) -> list[Task]:
    """Return the tasks over a link with long round trips; of the peers, nats-py."""
    prefix = f"rtt{milliseconds}-"
    plain = Task("rtt", "put", ("jetstow", "nats-py", PREVIOUS), scale.far, max_repeats=3)
    plain = replace(plain, round_trip=milliseconds / 1000)
    return [
        replace(plain, names={"put": f"{prefix}put"}),
        replace(plain, op="stream", names={"stream": f"{prefix}stream"}, seeded="object"),
        _small(prefix, replace(plain, size=0, count=scale.small_far)),
    ]
