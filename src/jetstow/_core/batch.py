"""One batch of fast ingest (ADR-50), as its two sides know it. Nothing here talks to anybody.

Every message of a batch says in its reply subject what it is; the server answers there:
`<inbox>.<batch>.<flow>.<what to do about gaps>.<number>.<step>.$FI`. It acknowledges every
`pace` chunks all that are stored until then, and at the end says how many those are.
"""

from __future__ import annotations

from typing import Final

import msgspec

from jetstow._core.jetstream import refusal
from jetstow._core.target import Target
from jetstow.errors import JetstowError, ServerError

# The steps. The last one ends a batch and is not stored itself.
START: Final = 0
APPEND: Final = 1
END: Final = 3

SUFFIX: Final = ".$FI"

# The server knows the batch no more: nothing came for ten seconds, or an error ended it.
_UNKNOWN: Final = 10208


class _Error(msgspec.Struct):
    code: int | None = None
    err_code: int | None = None
    description: str = "no reason given"


class _Answer(msgspec.Struct):
    type: str = ""
    seq: int = 0
    msgs: int = 0
    stream: str = ""
    batch: str = ""
    count: int = 0
    error: _Error | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def is_about_a_batch(subject: str) -> bool:
    """Whether an answer came to a batch's message."""
    return subject.endswith(SUFFIX)


class Batch:
    """What was sent, and what the server says of it.

    `first` is the number of its first chunk in the upload. `flow` is how many chunks at most
    one acknowledgement is to stand for; the server may want to give them more often.
    """

    def __init__(self, target: Target, nuid: str, first: int, flow: int) -> None:
        self.target = target
        self.nuid = nuid
        self.first = first
        self.sent = 0
        self.stored = 0
        self.last_seq = 0
        self.is_ending = False
        self.is_over = False
        self.is_lost = False  # nobody knows what of it is stored
        self.is_refused = False
        self.failure: JetstowError | None = None
        self._flow = flow
        self._pace = 0
        self._is_committed = False

    @property
    def has_begun(self) -> bool:
        """Whether the server has said how fast it may be."""
        return self._pace > 0

    @property
    def has_room(self) -> bool:
        """Whether one more chunk may go: the server asks for two paces ahead at most."""
        return self.sent - self.stored < 2 * self._pace

    def add(self) -> str:
        """Count the next chunk; return the suffix of its reply subject."""
        self.sent += 1
        return self._suffix(self.sent, START if self.sent == 1 else APPEND)

    def end(self) -> str:
        """No chunk follows; return the suffix of the message that says so."""
        self.is_ending = True
        return self._suffix(self.sent + 1, END)

    def _suffix(self, number: int, step: int) -> str:
        return f".{self.nuid}.{self._flow}.fail.{number}.{step}{SUFFIX}"

    def is_mine(self, subject: str) -> bool:
        """Whether an answer is to a message of this batch."""
        parts = subject.rsplit(".", 6)
        return len(parts) == 7 and parts[1] == self.nuid

    def hear(self, subject: str, data: bytes) -> None:
        """Take an answer. Nothing that it may hold raises; it may end up as `failure`."""
        if self._is_committed:
            return
        step = subject.removesuffix(SUFFIX).rpartition(".")[2]
        try:
            said = _decode(data)
        except (ValueError, RecursionError):
            self.fail("an acknowledgement for {} is broken")
            said = _Answer()
        if step == str(START) and not self.has_begun:
            self._begin(said)
        elif said.type == "ack":
            self._acknowledge(said)
        elif said.type == "gap":
            self.is_lost = self.is_over = True
        elif said.error is not None or said.type == "err":
            self._refuse(said.error or _Error())
        elif not said.type:
            self._commit(said)
        if step == str(END):
            self._close()

    def _begin(self, said: _Answer) -> None:
        if said.type == "ack":
            self._acknowledge(said)
        elif said.type != "gap" and self.failure is None:
            # Nothing of it is stored, except where somebody who knows no batches took the
            # message for a plain one. The chunks go on one by one, and meet the same error.
            self.is_refused = self.is_over = True
            self.stored = int(said.error is None and said.seq > 0)
            self.last_seq = said.seq

    def _acknowledge(self, said: _Answer) -> None:
        if said.seq > self.sent:
            self.fail("the server acknowledged chunks of {} that were not sent")
            return
        self.stored = max(self.stored, said.seq)
        self._pace = max(1, min(said.msgs, self._flow))

    def _commit(self, said: _Answer) -> None:
        """The server's last word: it stores nothing more of this batch.

        With replicas, it comes to the last chunk and not to the message that ends the batch.
        """
        self.is_over = True
        if said.batch != self.nuid or said.count != self.sent:
            self.is_lost = self.failure is None
        elif self.failure is None:
            self.stored, self.last_seq = self.sent, said.seq
            self._is_committed = True

    def _close(self) -> None:
        self.is_over = True
        self.is_lost = self.failure is None and not self._is_committed

    def _refuse(self, error: _Error) -> None:
        if error.err_code == _UNKNOWN and self.failure is None:
            self.is_lost = self.is_over = True
        elif self.failure is None:
            self.failure = refusal(self.target, msgspec.structs.asdict(error))

    def fail(self, sentence: str) -> None:
        """Remember what is wrong; the first word counts, what follows follows from it."""
        if self.failure is None:
            self.failure = self.target.error(ServerError, sentence.format(self.target))
