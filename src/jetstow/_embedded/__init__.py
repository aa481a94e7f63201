"""The server that runs when there is none: one `nats-server` a folder, shared by processes.

    async with await embedded.acquire() as hold:
        client = await nats.connect(hold.endpoint.url, token=hold.endpoint.token)

The first process that needs the server starts it, the others join it, the last one out
stops it. It listens on loopback only and knows its users by a random token. Its folder, the
*home*, is the user's data folder or `JETSTOW_HOME`; two homes know nothing of each other.

    server.conf     what the server is told: its port, its token; 0600
    server.log      what it says; turned over at 10 MB
    server.pid      its process, a hint
    *.ports         written by the server once it listens; before, nobody is told the token
    jetstream/      the data
    *.lock          see below

**The lock protocol.** Three files, locked with `flock`, which the kernel lets go of when a
process dies, however it dies. So there is nothing to clean up, and nothing to believe:

    gate.lock       EXCLUSIVE by a process that is joining or starting: one at a time
    users.lock      SHARED by every `Hold`
    server.lock     EXCLUSIVE by the server process itself, which inherits it when started:
                    it is locked for exactly as long as the server lives

- *Acquire*: pass the gate, share `users.lock`, look at `server.lock`. If it is locked, a
  server lives: join it once JetStream has answered to our token. If it is free, none lives,
  whatever the files say: lock it, start a server that inherits it, wait for the same answer.
- *Release*: try to make the share of `users.lock` exclusive. That works for nobody but the
  last one, who then stops the server. A process that comes meanwhile waits for its share
  until that is done, and finds `server.lock` free.
- A server that lives but does not answer, or not to our token, is replaced if nobody else
  shares it. If somebody does, it is reported, never killed under them.
- A process is signalled only while `server.lock` is held and the process's own command
  line names this home's `server.conf`. The pid file is a short cut to that process.

A process that is killed loses its locks: its server serves the others, or waits for the
next process, which joins it. A server that is killed loses `server.lock`: the next
`acquire` starts another on the same data and the same port, with the same token, so that
connected clients find it again.

POSIX only. On Windows `EmbeddedServerError` says to name a server instead.
"""

from __future__ import annotations

from jetstow._embedded.lease import Hold, acquire, home, status, stop
from jetstow._embedded.server import Endpoint

__all__ = ["Endpoint", "Hold", "acquire", "home", "status", "stop"]
