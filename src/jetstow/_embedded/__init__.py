"""The embedded server: one `nats-server` for each home folder, shared by processes.

    async with await _embedded.acquire() as lease:
        client = await nats.connect(lease.endpoint.url, token=lease.endpoint.token)

The first process that needs the server starts it, others join it, and the last one stops it. The
server listens on loopback only and accepts connections with a random token. The *home* is the
user's data folder, or `JETSTOW_HOME`. Different homes have independent servers.

    server.conf     the server's configuration with its port and token; mode 0600
    server.log      the server's log; rotated at 10 MB
    server.pid      the server's process ID, which may be stale
    *.ports         written by the server when it listens; before that, no client sends the token
    jetstream/      the data
    *.lock          the lock files

**The lock protocol.** There are three lock files. They are locked with `flock`: the kernel
unlocks a file when its process ends, also after SIGKILL, so no lock can be stale.

    gate.lock       EXCLUSIVE while a process joins or starts the server: one process at a time
    users.lock      SHARED by every `Lease`
    server.lock     EXCLUSIVE by the server process, which inherits the open file: it is locked
                    exactly as long as the server runs

- *Acquire*: lock `gate.lock`, share `users.lock`, and test `server.lock`. If it is locked, a
  server is running: join it when JetStream has replied to a request with our token. If it is
  free, no server is running, whatever the other files contain: lock it, start a server that
  inherits it, and wait for the same reply.
- *Release*: try to change the share of `users.lock` to exclusive. This succeeds only for the
  last process, which then stops the server. A process that acquires during this time waits for
  its share, and then finds `server.lock` free.
- A server that does not reply, or rejects the token, is replaced if no other process has a
  lease. If one has, an error is raised, and the server is not stopped.
- A process is signalled only while `server.lock` is locked and the command line of the process
  contains this home's `server.conf`. The pid file only shortens the search for that process.

If a process is killed, its locks are released. The server keeps running for other processes, or
until the next process joins it. If the server is killed, `server.lock` is released. The next
`acquire` starts a server with the same data, port and token, and connected clients reconnect.

POSIX only: on Windows, `acquire`, `status` and `stop` raise `EmbeddedServerError`.
"""

from __future__ import annotations

from jetstow._embedded.lease import Lease, acquire, home, status, stop
from jetstow._embedded.server import Endpoint

__all__ = ["Endpoint", "Lease", "acquire", "home", "status", "stop"]
