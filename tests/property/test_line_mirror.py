"""Two ends of a line and a network that loses, repeats, cuts off, changes, delays and invents what is sent.

Whatever it does, the mirror holds and cosigns nothing but what the log signed, and holds every body before it cosigns;
and once the network is sound, all of the log arrives and is cosigned, in a bounded number of requests.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keepclear.line.body_requests import BODIES_TYPE, BodiesAnswer, Wanted
from keepclear.line.entry_packages import EntriesHeader
from keepclear.line.mirror_requests import AddCheckpoint, Answer, MirrorInfo, cosignatures_answer, size_answer
from keepclear.line.uploading import MOST_FRUITLESS, EntriesDue, Stage
from keepclear.record.checkpoints import Checkpoint, sign_checkpoint
from keepclear.record.cosignatures import cosign
from keepclear.record.keys import SignatureKind, SigningKey
from keepclear.record.notes import Note
from tests.crash.saying import MIRROR_KEY, ORIGIN, tree
from tests.property.two_ends import Ends

STRANGER = SigningKey.of_seed(ORIGIN, SignatureKind.ED25519, b"9" * 32)
OTHER_MIRROR = SigningKey.of_seed("south/border/mirror", SignatureKind.COSIGNATURE, b"8" * 32)
MOST_IN_FLIGHT = 6
FATES = ["whole", "whole", "whole", "cut", "changed", "lost", "twice"]


class HostileNetwork(RuleBasedStateMachine):
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.ends = Ends(self.folder)
        self.leaves: list[bytes] = []
        self.roots: dict[int, bytes] = {}
        self.requests: list = []  # on their way to south: what was due, the endpoint, the bytes
        self.answers: list = []  # on their way back

    @initialize(many=st.sampled_from([1, 5, 260]), ours=st.booleans())
    def say_first(self, *, many: int, ours: bool) -> None:
        self.begin()
        self.say(many=many, ours=ours)

    def teardown(self) -> None:
        if not hasattr(self, "ends"):
            return
        try:
            self.must_converge()
        finally:
            self.ends.close()
            shutil.rmtree(self.folder)

    def must_converge(self) -> None:
        sender = self.ends.north.sender
        if sender.uploading.stage is Stage.DISPUTED:  # by a lie; a person has seen to it
            self.ends.north.restart()
            sender = self.ends.north.sender
        for _ in range(3):
            sender.retried()
            self.ends.settle(most=60)
            if sender.uploading.stage is Stage.DONE:
                break
        self.ends.must_agree()

    # --- what the parties do ---------------------------------------------------------------------------------------

    @rule(many=st.sampled_from([1, 1, 2, 40, 257]), ours=st.booleans())
    def say(self, *, many: int, ours: bool) -> None:
        if len(self.leaves) < 600:
            self.ends.north.say(many, to=("south",) if ours and many < 50 else ())
            self.leaves += self.ends.north.log.leaves(len(self.leaves))

    @rule()
    def send(self) -> None:
        asked = self.ends.north.sender.due()
        if asked is not None and len(self.requests) < MOST_IN_FLIGHT:
            due, request = asked
            self.requests.append((due, request.endpoint, b"".join(request.body)))

    @rule(fates=st.lists(st.tuples(st.sampled_from(FATES), st.floats(0, 0.999)), min_size=1, max_size=8))
    def exchange(self, fates: list[tuple[str, float]]) -> None:
        """Some requests and their answers, with what may become of each on the way."""
        for fate, where in fates:
            self._exchange(fate, where)

    def _exchange(self, fate: str, where: float) -> None:
        asked = self.ends.north.sender.due()
        if asked is None:
            return
        due, request = asked
        body = bytearray(b"".join(request.body))
        at = int(where * len(body))
        if fate == "cut":
            del body[at:]
        if fate == "changed":
            body[at] ^= 1
        answer = None
        for _ in range({"lost": 0, "twice": 2}.get(fate, 1)):
            answer = self.ends.south.serve(request.endpoint, iter([bytes(body)]))
        self.ends.north.sender.answered(due, answer)

    @rule()
    def retry(self) -> None:
        self.ends.north.sender.retried()

    @rule(north=st.booleans())
    def restart(self, *, north: bool) -> None:
        (self.ends.north if north else self.ends.south).restart()

    # --- what the network does -------------------------------------------------------------------------------------

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 99), stay=st.booleans(), pieces=st.integers(1, 7))
    def deliver(self, *, which: int, stay: bool, pieces: int) -> None:
        """A request, in any order, maybe once more later."""
        due, endpoint, body = self._taken(self.requests, which, stay=stay)
        step = max(1, len(body) // pieces)
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        self._came(due, self.ends.south.serve(endpoint, iter(chunks)))

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 99), stay=st.booleans(), keep=st.floats(0, 1))
    def cut_off(self, *, which: int, stay: bool, keep: float) -> None:
        due, endpoint, body = self._taken(self.requests, which, stay=stay)
        self._came(due, self.ends.south.serve(endpoint, iter([body[: int(keep * len(body))]])))

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 99), where=st.floats(0, 0.999), bits=st.integers(1, 255))
    def change(self, which: int, where: float, bits: int) -> None:
        due, endpoint, body = self._taken(self.requests, which, stay=True)
        wrong = bytearray(body)
        wrong[int(where * len(body))] ^= bits
        self._came(due, self.ends.south.serve(endpoint, iter([bytes(wrong)])))

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 99))
    def lose_request(self, which: int) -> None:
        due, _, _ = self._taken(self.requests, which, stay=False)
        self.ends.north.sender.answered(due, None)

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 99), stay=st.booleans())
    def answer(self, *, which: int, stay: bool) -> None:
        self.ends.north.sender.answered(*self._taken(self.answers, which, stay=stay))

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 99))
    def lose_answer(self, which: int) -> None:
        due, _ = self._taken(self.answers, which, stay=False)
        self.ends.north.sender.answered(due, None)

    # --- what liars say --------------------------------------------------------------------------------------------

    @rule(old=st.integers(0, 700), size=st.integers(0, 700), proof=st.lists(st.binary(min_size=32, max_size=32)))
    def forge_checkpoint(self, old: int, size: int, proof: list[bytes]) -> None:
        """Of another key, with the log's name; and the log's own, with a proof that is none."""
        root = tree([]) if size == 0 else b"r" * 32
        forged = sign_checkpoint(Checkpoint(ORIGIN, size, root), STRANGER)
        before = self.ends.south.receiver.state()
        body = AddCheckpoint(min(old, size), tuple(proof[:63]), forged).to_bytes()
        assert self.ends.south.serve("add-checkpoint", iter([body])).status == 403
        real = AddCheckpoint(before.size, tuple(proof[:63]), self.ends.north.log.checkpoint()).to_bytes()
        answer = self.ends.south.serve("add-checkpoint", iter([real]))
        if proof:
            assert answer.status in (400, 422), answer
            assert self.ends.south.receiver.state() == before

    @rule(endpoint=st.sampled_from(["add-checkpoint", "add-entries", "add-bodies"]), junk=st.binary(max_size=300))
    def send_junk(self, endpoint: str, junk: bytes) -> None:
        before = self.ends.south.receiver.state()
        assert self.ends.south.serve(endpoint, iter([junk])).status in (400, 404)
        assert self.ends.south.receiver.state() == before

    @rule(start=st.integers(0, 2**64 - 1), end=st.integers(0, 2**64 - 1), ticket=st.binary(max_size=99))
    def send_entries_of_nowhere(self, start: int, end: int, ticket: bytes) -> None:
        body = EntriesHeader(ORIGIN.encode(), start, end, ticket).to_bytes() + b"\0" * 600
        assert self.ends.south.serve("add-entries", iter([body])).status in (400, 409, 422)

    @rule(where=st.floats(0, 0.999), bits=st.integers(1, 255))
    def send_a_changed_package(self, where: float, bits: int) -> None:
        """The next one that south waits for, with one byte changed."""
        before = self.ends.south.receiver.state()
        if before.next_entry < before.size:
            due = EntriesDue(before.next_entry, before.size, b"")
            header, package, *_ = map(bytearray, self.ends.north.sender._entries(due))
            package[int(where * len(package))] ^= bits
            assert self.ends.south.serve("add-entries", iter([bytes(header), bytes(package)])).status in (400, 422)
            assert self.ends.south.receiver.state().next_entry <= before.next_entry

    @rule(data=st.data())
    def lie_to_the_log(self, data: st.DataObject) -> None:
        sender = self.ends.north.sender
        asked = sender.due()
        if asked is None:
            return
        size = self.ends.north.log.size
        number = st.integers(0, size)
        text = Note.of_bytes(self.ends.north.log.checkpoint()).text
        lie = data.draw(
            st.one_of(
                st.builds(size_answer, number),
                st.builds(
                    lambda s, n, t, c: MirrorInfo(s, n, t).answer(c),
                    number,
                    number,
                    st.binary(max_size=9),
                    st.sampled_from([202, 409]),
                ),
                st.just(cosignatures_answer((cosign(text, OTHER_MIRROR, time_s=1),))),
                st.just(cosignatures_answer((cosign(Checkpoint(ORIGIN, 9, b"x" * 32).text, MIRROR_KEY, time_s=1),))),
                st.builds(lambda n, p: BodiesAnswer((Wanted(n, p),)).answer(), number, st.integers(0, 3)),
                st.builds(
                    Answer,
                    st.sampled_from([200, 202, 400, 403, 404, 409, 422, 429, 500, 503]),
                    st.sampled_from(["", "text/plain", BODIES_TYPE]),
                    st.binary(max_size=50),
                ),
            )
        )
        before = sender.uploading.cosigned
        sender.answered(asked[0], lie)
        assert sender.uploading.cosigned == before

    # --- what holds always -----------------------------------------------------------------------------------------

    @invariant()
    def south_is_honest(self) -> None:
        if not hasattr(self, "ends"):
            return
        store = self.ends.south.store
        head = store.head(ORIGIN)
        size = head.size if head else 0
        following = store.next_entry(ORIGIN)
        assert size <= following <= len(self.leaves)
        assert store.leaves(ORIGIN, 0, size) == self.leaves[:size]
        assert store.coming(ORIGIN, size, following) == self.leaves[size:following]
        for head in (*store.pending(ORIGIN), *store.checkpoints(ORIGIN)):
            if head.size not in self.roots:
                self.roots[head.size] = tree(self.leaves[: head.size])
            assert head.root == self.roots[head.size]
        last = store.last_cosigned(ORIGIN, MIRROR_KEY.verifier.text)
        assert last is None or store.wanted(ORIGIN, before=last) == ()
        assert self.ends.south.mirror.conflicts() == ()

    @invariant()
    def north_tires(self) -> None:
        if hasattr(self, "ends"):
            assert self.ends.north.sender.uploading.fruitless <= MOST_FRUITLESS + 1 or (
                self.ends.north.sender.uploading.stage in (Stage.RESTING, Stage.DISPUTED)
            )

    def _taken(self, box: list, which: int, *, stay: bool):
        at = which % len(box)
        return box[at] if stay else box.pop(at)

    def _came(self, due, answer: Answer) -> None:
        if len(self.answers) < MOST_IN_FLIGHT:
            self.answers.append((due, answer))


HostileNetwork.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHostileNetwork = HostileNetwork.TestCase
