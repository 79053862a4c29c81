"""What our node answers to the nodes of others, however they asked: by HTTP, by a turn, in a bundle.

Who asks has been found out before (`keepclear.node.request_signatures`). Here it is decided whether it may ask this,
and the request is given to what answers it: the copy of the log that it is about, the heartbeats, the cards. Nothing
that is asked can stop anything: whatever is wrong with it comes back as an answer with a sentence.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepclear.errors import InputError, IntegrityError, KeepclearError, PeerError, StoreError
from keepclear.line.body_requests import MOST_ENTRY_BYTES, Wanted, format_bodies, pieces_of
from keepclear.line.entry_packages import MOST_PACKAGE_BYTES
from keepclear.line.heartbeats import MOST_HEARTBEAT_BYTES
from keepclear.line.mirror_requests import MOST_ADD_CHECKPOINT_BYTES, AddCheckpoint, Answer
from keepclear.node.bell import Bell
from keepclear.node.flashes import MOST_FLASH_BYTES
from keepclear.node.peers import Peer, Peers
from keepclear.record.checkpoints import Checkpoint
from keepclear.record.names import KeyName
from keepclear.record.notes import Note
from keepclear.record.scalars import decimal_number
from keepclear.record.tiles import Bundle, encode_bundle, parse_path, tile_at
from keepclear.store.receiving_bodies import Undelivered
from keepclear.store.sending import MOST_REQUEST_BYTES

if TYPE_CHECKING:
    from keepclear.node.beating import Beating
    from keepclear.node.flashes import Flashes
    from keepclear.node.forks_found import ForksFound
    from keepclear.node.records import Records

__all__ = ["LIMITS", "MOST_CARDS_BYTES", "PREFIX", "PeerDesk"]

PREFIX = "/line/v1"
"""Where all of this is served, below a node's address."""
MOST_CARDS_BYTES = 16 * 2**20
LIMITS = {
    "add-checkpoint": MOST_ADD_CHECKPOINT_BYTES,
    "add-entries": MOST_REQUEST_BYTES + MOST_PACKAGE_BYTES + 2**18,
    "add-bodies": 2 * MOST_REQUEST_BYTES,
    "heartbeat": MOST_HEARTBEAT_BYTES,
    "flash": MOST_FLASH_BYTES,
    "cards": MOST_CARDS_BYTES,
}
"""How many bytes of each request are read."""

_GUARDS = {
    Undelivered.REFUSED: "NO_SHARING",
    Undelivered.GONE: "GONE",
    Undelivered.TOO_LONG: "TOO_LONG",
}
_ORIGIN_MOST = 256
_BODY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Uploaded:
    """A log that a request is about, by whom it may be sent, and how."""

    origin: str
    line: str
    peer: Peer


class PeerDesk:
    """Answers requests of peers. Any thread may use it.

    Parameters
    ----------
    records, peers, beating, flashes, forks
        The parts that know.
    bell
        Rung when something came.
    clock
        The time, in seconds since the epoch.
    guard_of
        The rule by which the guards refused the body of an entry; empty where they do not say.
    called
        Told line and party when a peer has called us.
    """

    def __init__(
        self,
        records: Records,
        peers: Peers,
        *,
        beating: Beating,
        flashes: Flashes,
        forks: ForksFound,
        bell: Bell,
        clock: Callable[[], float],
        guard_of: Callable[[str, int], str] = lambda *_: "",
        called: Callable[[str, str], object] = lambda *_: None,
    ) -> None:
        self._records, self._peers, self._bell, self._clock = records, peers, bell, clock
        self._beating, self._flashes, self._forks = beating, flashes, forks
        self._guard_of, self._called = guard_of, called
        self._mirror_keys: dict[str, str] = {}

    # --- requests that bring something ------------------------------------------------------------------------------

    def post(self, party: str, endpoint: str, chunks: Iterable[bytes], *, line: str | None = None) -> Answer:
        """Answer a request.

        Parameters
        ----------
        party
            Who asks, which has been verified.
        endpoint
            One of `LIMITS`.
        chunks
            The body.
        line
            On which line, where the body does not say it.
        """
        try:
            return self._posted(party, endpoint, chunks, line)
        except PeerError as error:
            return Answer.saying(400, str(error))
        except (InputError, IntegrityError) as error:
            return Answer.saying(422, str(error))
        except StoreError:
            # What our disk has to say is for our own people.
            return Answer.saying(503, "this node cannot keep it now")

    def _posted(self, party: str, endpoint: str, chunks: Iterable[bytes], line: str | None) -> Answer:
        match endpoint:
            case "add-checkpoint":
                return self._add_checkpoint(party, b"".join(chunks))
            case "add-entries":
                return self._add_entries(party, iter(chunks))
            case "add-bodies":
                return self._add_bodies(party, iter(chunks))
            case "heartbeat":
                return self._heartbeat(party, b"".join(chunks))
            case "flash":
                return self._flash(party, b"".join(chunks))
            case "cards" if line is not None:
                return self._take_cards(party, line, b"".join(chunks))
        return Answer.saying(404, "there is no such endpoint")

    def _add_checkpoint(self, party: str, data: bytes) -> Answer:
        asked = AddCheckpoint.of_bytes(data)
        origin = Checkpoint.of_text(Note.of_bytes(asked.checkpoint).text).origin
        found = self._uploaded(party, origin)
        if isinstance(found, Answer):
            return found
        with self._records.receiver(origin) as (receiver, _):
            answer = receiver.add_checkpoint(data)
        if answer.status != 200:
            self._forks.look(origin)
        return answer

    def _add_entries(self, party: str, chunks: Iterator[bytes]) -> Answer:
        first = _begun(chunks)
        found = self._uploaded(party, _origin_of(first))
        if isinstance(found, Answer):
            return found
        if why := self._peers.stopped(found.line, found.origin.partition("/")[0]):
            return Answer.saying(403, why)
        origin = found.origin
        with self._records.receiver(origin) as (receiver, _):
            upload = receiver.upload()
        for chunk in (first, *chunks):
            with self._records.receiver(origin):
                answer = upload.receive(chunk)
            if answer is not None:
                break
        else:
            with self._records.receiver(origin):
                answer = upload.end(time_s=self._now())
        if answer.status not in (200, 202):
            self._forks.look(origin)
        return answer

    def _add_bodies(self, party: str, chunks: Iterator[bytes]) -> Answer:
        first = _begun(chunks)
        found = self._uploaded(party, _origin_of(first))
        if isinstance(found, Answer):
            return found
        if party != found.origin.partition("/")[0]:
            # It may say that a body will not come, and that is for nobody else to say.
            return Answer.saying(403, "bodies are taken from the party whose log it is")
        if why := self._peers.stopped(found.line, party):
            return Answer.saying(403, why)
        origin = found.origin
        with self._records.receiver(origin) as (_, desk):
            request = desk.request()
        for chunk in (first, *chunks):
            with self._records.receiver(origin):
                answer = request.receive(chunk)
            if answer is not None:
                break
        else:
            self.refuse_undelivered(origin)
            with self._records.receiver(origin):
                answer = request.end(time_s=self._now())
        return answer

    def refuse_undelivered(self, origin: str) -> None:
        """Say in our own log of each body that will not be kept that it is not; only then is what follows cosigned."""
        with self._records.receiver(origin) as (_, desk):
            undelivered = desk.undelivered
        for number, why in sorted(undelivered.items()):
            self._records.refuse(origin, number, self._guard_of(origin, number) or _GUARDS[why])

    def _heartbeat(self, party: str, data: bytes) -> Answer:
        line = self._beating.line_of(data)
        peer = self._peers.find(line, party)
        if peer is None or not peer.member:
            return Answer.saying(403, f"{party} is not on this line")
        self._beating.take(peer, data)
        self._called(line, party)
        return Answer(200, _BODY_TYPE, self._beating.made(peer))

    def _flash(self, party: str, data: bytes) -> Answer:
        self._flashes.take(party, data)
        return Answer.saying(200, "taken, beside the log")

    def _take_cards(self, party: str, line: str, data: bytes) -> Answer:
        peer = self._peers.find(line, party)
        if peer is None or not peer.member:
            return Answer.saying(403, f"{party} is not on this line")
        if self._peers.cards.take(line, data, giver=party):
            self._bell.ring("line")
        return Answer.saying(200, "taken")

    def _uploaded(self, party: str, origin: str) -> _Uploaded | Answer:
        name = KeyName.of_text(origin)
        peer = None if name is None or name.line is None else self._peers.find(name.line, party)
        if name is None or name.line is None or peer is None:
            return Answer.saying(404, "no such log is mirrored here")
        if not peer.member and name.party != party:
            return Answer.saying(403, f"{party} is not on this line")
        if name.party == self._records.party or origin not in self._records.origins(name.line):
            return Answer.saying(404, "no such log is mirrored here")
        return _Uploaded(origin, name.line, peer)

    # --- requests that only read ------------------------------------------------------------------------------------

    def cards(self, party: str, line: str) -> Answer:
        """The cards of a line, for a member."""
        peer = self._peers.find(line, party)
        if peer is None or not peer.member:
            return Answer.saying(404, "there is no such line, or not for you")
        return Answer(200, "application/jsonl", self._peers.cards.give(line))

    def read(self, party: str, origin_hash: str, path: str) -> Answer:
        """The tiled read interface (C2SP tlog-tiles) of a log that is held here, for members of its line.

        Parameters
        ----------
        origin_hash
            SHA-256 of the log's origin in hex, as tlog-mirror has it.
        path
            ``checkpoint``, or ``tile/…``.
        """
        origin = self._readable(party, origin_hash)
        if origin is None:
            return Answer.saying(404, "no such log is held here, or not for you")
        try:
            if path == "checkpoint":
                return self._seen(origin) if party == origin.partition("/")[0] else self._checkpoint(origin)
            if path.startswith("body/"):
                return self._body(party, origin, path.removeprefix("body/"))
            return self._tile(origin, path)
        except (PeerError, InputError):
            return Answer.saying(404, "there is no such tile")
        except KeepclearError:
            return Answer.saying(503, "this node cannot read it now")

    def read_path(self, party: str, path: str) -> Answer:
        """The same, of a whole path below ``/line/v1/``."""
        first, _, rest = path.partition("/")
        origin_hash, _, rest = rest.partition("/")
        return self.read(party, origin_hash, rest) if first == "mirror" else Answer.saying(404, "nothing is read here")

    def _readable(self, party: str, origin_hash: str) -> str | None:
        for line in self._peers.lines_with(party):
            peer = self._peers.find(line, party)
            for origin in self._records.origins(line):
                if hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                    return origin if peer is not None and peer.member else None
        return None

    def _checkpoint(self, origin: str) -> Answer:
        """The newest that we cosigned; of our own log simply the newest, of which we cosign none."""
        with self._records.reading(origin) as log:
            size = self._shown_size(origin, log.size)
            if size is None:
                return Answer.saying(404, "nothing of it is held yet")
            return Answer(200, "text/plain; charset=utf-8", log.checkpoint(size))

    def _seen(self, origin: str) -> Answer:
        """For the author itself: the greatest that it ever showed us, whether or not the leaves have come.

        After a restore it must know what it signed; where nobody has the leaves, it cannot go on in this log.
        """
        with self._records.receiver(origin) as (receiver, _):
            newest = receiver.state().newest
        if newest is None:
            return Answer.saying(404, "nothing of it is held yet")
        return Answer(200, "text/plain; charset=utf-8", newest.note)

    def _body(self, party: str, origin: str, number: str) -> Answer:
        """A body, for its author alone, who has lost it."""
        index = decimal_number(number)
        if party != origin.partition("/")[0] or index is None or index >= self._records.size(origin):
            return Answer.saying(404, "there is no such body, or not for you")
        entry = self._records.entry(origin, index)
        if entry.body is None or None in entry.attachments:
            return Answer.saying(404, "there is no such body, or not for you")
        pieces = pieces_of(entry, Wanted(index), most_bytes=MOST_ENTRY_BYTES + 2**20)
        return Answer(200, _BODY_TYPE, b"".join(format_bodies(origin, pieces)))

    def _shown_size(self, origin: str, size: int) -> int | None:
        if origin.partition("/")[0] == self._records.party:
            return size
        name = KeyName.of_text(origin)
        assert name is not None
        assert name.line is not None
        return self._records.store.last_cosigned(origin, self._mirror_key(name.line))

    def _mirror_key(self, line: str) -> str:
        if line not in self._mirror_keys:
            self._mirror_keys[line] = self._records.mirror_key(line).verifier.text
        return self._mirror_keys[line]

    def _tile(self, origin: str, path: str) -> Answer:
        place = parse_path(path)
        with self._records.reading(origin) as log:
            if isinstance(place, Bundle):
                stop = place.start + place.width
                if stop > log.size:
                    return Answer.saying(404, "there is no such tile")
                data = encode_bundle(list(log.leaves(place.start, stop)))
            else:
                whole = tile_at(place.level, place.number, log.size)
                if whole.width < place.width:
                    return Answer.saying(404, "there is no such tile")
                data = log.tile(whole)[: 32 * place.width]
        return Answer(200, _BODY_TYPE, data)

    def _now(self) -> int:
        return math.floor(self._clock())


def _begun(chunks: Iterator[bytes]) -> bytes:
    """The first bytes of a body, as many as name the log."""
    data = b""
    for chunk in chunks:
        data += chunk
        if len(data) >= 2 and len(data) >= 2 + int.from_bytes(data[:2], "big"):
            break
    return data


def _origin_of(first: bytes) -> str:
    length = int.from_bytes(first[:2], "big")
    if len(first) < 2 + length or length > _ORIGIN_MOST:
        raise PeerError("the body does not begin with the name of a log")
    try:
        return first[2 : 2 + length].decode("ascii")
    except UnicodeDecodeError:
        raise PeerError("the body does not begin with the name of a log") from None
