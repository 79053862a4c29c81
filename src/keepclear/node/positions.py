"""Positions at a node: what reports them, whose they are, and the tracks that they make.

A report says by what its unit is called: the party's own name for it, a callsign, a uid, an ICAO address. Whose unit
that is, a rule says that an officer has made; what no rule names stays a track without an owner. Reports are kept as
they came, so a rule that is made later holds for what came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keepclear.agreements.facts import Flown
from keepclear.errors import Fault, InputError
from keepclear.model.kinds import Domain, OperationKind
from keepclear.node.actors import Actor
from keepclear.node.acts import Acts
from keepclear.node.bell import Bell
from keepclear.node.line_bodies import LineBodies
from keepclear.node.refusals import NotFoundError
from keepclear.node.roles import Scope
from keepclear.record.bodies.plans import OperationBody
from keepclear.record.entries import EntryRef
from keepclear.record.names import NAME_RIGHT, is_name
from keepclear.store.node.database import NodeDatabase
from keepclear.store.node.filings import FilingState, filings_of_thing
from keepclear.store.node.position_sources import (
    KeptRule,
    KeptSource,
    add_rule,
    end_rule,
    put_source,
    rule_of,
    rules,
    source_of,
    sources,
)
from keepclear.store.node.positions import (
    KeptBatch,
    KeptPiece,
    add_batch,
    batch_of,
    batches_before,
    pieces_of,
    seen_units,
)
from keepclear.times import to_text
from keepclear.watch.batches import (
    Identity,
    Piece,
    batch_hash,
    gathered,
    joined,
    read_batch,
    twice_fault,
    two_places,
    written,
)

__all__ = ["RULE_KINDS", "Bound", "Positions", "Posted", "UnitSeen", "domains_filed", "flown_of"]

RULE_KINDS = ("unit", "callsign", "uid", "icao")
"""What a rule can look at."""
CLOCK_TOLERANCE_S = 5.0
"""How far a source's clock may be ahead of ours where nothing else was said (ASTM F3548-21)."""

_MOST_NAME = 100
_LONGEST_S = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose unit something is.

    Attributes
    ----------
    party, unit
        Whose, empty where nobody knows, and what it is called.
    operation
        The filing that it is on; None where that is not known.
    kind, platform_class, domains
        What sort of thing moves, and where; empty where not known.
    rule
        The number of the rule that says so; None where none does.
    """

    party: str
    unit: str
    operation: EntryRef | None = None
    kind: str = ""
    platform_class: str = ""
    domains: frozenset[Domain] = frozenset()
    rule: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A batch that was taken.

    Attributes
    ----------
    batch
        As it is kept.
    again
        Whether it had been taken before; then nothing was done.
    units
        Of which units, and whose they are by the rules of now.
    warnings
        What a person should know.
    """

    batch: KeptBatch
    again: bool
    units: tuple[Bound, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitSeen:
    """A unit of which there are positions here."""

    bound: Bound
    identity: Identity
    source: str
    from_s: float
    to_s: float
    count: int


class Positions:
    """Takes positions, and makes tracks of them. Any thread may use it.

    Parameters
    ----------
    party
        Whose node it is.
    database, acts, bell, clock
        The node's.
    """

    def __init__(self, party: str, database: NodeDatabase, acts: Acts, bell: Bell, clock: Callable[[], float]) -> None:
        self._party, self._database, self._acts, self._bell, self._clock = party, database, acts, bell, clock
        self._listeners: list[Callable[[float, float], None]] = []
        self._any = False
        self.domains_of: Callable[[EntryRef], frozenset[Domain]] = lambda _: frozenset()
        """Where the units of a filing move, by what it says."""

    def on_new(self, listener: Callable[[float, float], None]) -> None:
        """Have a function called with the first and last time of what came; it must be quick."""
        self._listeners.append(listener)

    # --- sources and rules -----------------------------------------------------------------------------------------

    def register(
        self,
        name: str,
        *,
        by: Actor,
        owner: str | None = None,
        accuracy_m: float = 0.0,
        max_age_s: float = 60.0,
        clock_tolerance_s: float = CLOCK_TOLERANCE_S,
        note: str = "",
    ) -> KeptSource:
        """Say what reports positions, or say it anew.

        Parameters
        ----------
        owner
            The party whose source it is; None: our own.

        Raises
        ------
        InputError
            With all that is wrong with it.
        """
        by.must(Scope.FILE)
        owner = owner or self._party
        faults = [
            Fault("not a name", NAME_RIGHT, field=field, value=value)
            for field, value in (("name", name), ("owner", owner))
            if not is_name(value)
        ]
        bounds = (("accuracy_m", accuracy_m, 1e6), ("max_age_s", max_age_s, 86_400.0),
                  ("clock_tolerance_s", clock_tolerance_s, 3600.0))  # fmt: skip
        faults += [
            Fault("not what belongs here", f"a number from 0 to {most:g}", field=field, value=str(value))
            for field, value, most in bounds
            if not 0.0 <= value <= most
        ]
        if faults:
            raise InputError(faults)
        source = KeptSource(
            name, owner, accuracy_m, max_age_s, clock_tolerance_s, note, by.user, self._clock()
        )  # fmt: skip
        with self._database.writing() as conn:
            put_source(conn, source)
            told = {"owner": owner, "accuracy_m": accuracy_m, "max_age_s": max_age_s}
            self._acts.record(conn, by, "position source", ref=name, detail=told)
        return source

    def sources(self) -> list[KeptSource]:
        """All that report, by name."""
        with self._database.reading() as conn:
            return sources(conn)

    def source(self, name: str) -> KeptSource:
        """One of them.

        Raises
        ------
        NotFoundError
            If none has that name.
        """
        with self._database.reading() as conn:
            found = source_of(conn, name)
        if found is None:
            right = "register it first, with its owner, accuracy and maximum age"
            raise NotFoundError("source of positions", field="source", value=name, right=right)
        return found

    def bind(
        self,
        kind: str,
        value: str,
        *,
        by: Actor,
        unit: str | None = None,
        party: str | None = None,
        operation: str = "",
        platform_class: str = "",
        kind_of_operation: str = "",
        domain: str = "",
        from_s: float | None = None,
        to_s: float | None = None,
    ) -> KeptRule:
        """Say whose unit it is of which positions speak so; of several rules the newest counts.

        Parameters
        ----------
        kind, value
            What a position must say: one of `RULE_KINDS`, and which.
        unit
            What the unit is called; None: as the value.
        party
            Whose it is; None: our own; empty: nobody's that is known.
        operation
            The id of that party's operation that it is on.
        kind_of_operation, domain
            What it does, and where it moves; empty where that is not known. Its filing says so, where it has one.
        from_s, to_s
            From when to when.

        Raises
        ------
        InputError
            With all that is wrong.
        """
        by.must(Scope.FILE)
        party, value = self._party if party is None else party, value.strip()
        value = value.upper() if kind == "icao" else value
        unit = unit or value
        faults = []
        if kind not in RULE_KINDS:
            faults.append(Fault("no such kind of rule", f"one of: {', '.join(RULE_KINDS)}", field="by", value=kind))
        if kind_of_operation and kind_of_operation not in set(OperationKind):
            right = f"one of: {', '.join(OperationKind)}"
            faults.append(Fault("no such kind of operation", right, field="kind", value=kind_of_operation))
        if domain and domain not in set(Domain):
            faults.append(Fault("no such domain", f"one of: {', '.join(Domain)}", field="domain", value=domain))
        if party and not is_name(party):
            faults.append(Fault("not the name of a party", NAME_RIGHT, field="party", value=party))
        texts = (("value", value, 1), ("unit", unit, 1), ("operation", operation, 0),
                 ("platform_class", platform_class, 0))  # fmt: skip
        for field, text, least in texts:
            if not least <= len(text) <= _MOST_NAME or not text.isprintable():
                right = f"{least} to {_MOST_NAME} visible characters"
                faults.append(Fault("not a name", right, field=field, value=text[:60]))
        if from_s is not None and to_s is not None and to_s < from_s:
            faults.append(Fault("the end is before the start", "to after from", field="to", value=to_text(to_s)))
        if faults:
            raise InputError(faults)
        rule = KeptRule(
            0, kind, value, unit, party, operation, platform_class, kind_of_operation, domain, from_s, to_s, by.user,
            self._clock(),
        )  # fmt: skip
        with self._database.writing() as conn:
            rule = add_rule(conn, rule)
            told = {"by": kind, "value": value, "unit": unit, "party": party, "operation": operation}
            self._acts.record(conn, by, "bind positions", ref=str(rule.id), detail=told)
        self._tell(-_LONGEST_S + self._clock() if from_s is None else from_s, self._clock() if to_s is None else to_s)
        return rule

    def unbind(self, number: int, *, by: Actor) -> None:
        """Take a rule back.

        Raises
        ------
        NotFoundError
            If there is none of that number that still holds.
        """
        by.must(Scope.FILE)
        with self._database.writing() as conn:
            if rule_of(conn, number) is None or not end_rule(conn, number, by=by.user, at_s=self._clock()):
                raise NotFoundError("rule that holds", field="number", value=str(number))
            self._acts.record(conn, by, "unbind positions", ref=str(number))

    def rules(self) -> list[KeptRule]:
        """Those that hold, the oldest first."""
        with self._database.reading() as conn:
            return rules(conn)

    @property
    def any(self) -> bool:
        """Whether anything reports positions here; cheap to ask."""
        if not self._any:
            self._any = bool(self.sources())
        return self._any

    # --- taking positions ------------------------------------------------------------------------------------------

    def post(self, source: str, data: bytes | Sequence[Any], *, by: Actor) -> Posted:
        """Take a batch: all of it or nothing, and the same one once.

        Parameters
        ----------
        data
            Lines of JSON, or a list of JSON values.

        Raises
        ------
        NotFoundError
            If the source is not registered.
        InputError
            With all that is wrong, each fault with its line.
        """
        by.must(Scope.FILE)
        known, now_s = self.source(source), self._clock()

        def ahead(time_s: float) -> str:
            late_s = time_s - now_s - known.clock_tolerance_s
            return "" if late_s <= 0.0 else f"{late_s + known.clock_tolerance_s:.1f} s ahead of this node's clock"

        if isinstance(data, bytes):
            pieces = read_batch(data, accept=ahead)
        else:
            pieces = gathered(
                ((f"position {number}", one) for number, one in enumerate(data, start=1)), accept=ahead
            )  # fmt: skip
        name = batch_hash(written(pieces))
        with self._database.reading() as conn:
            there = batch_of(conn, source, name)
            if there is None:
                self._check_against(pieces, pieces_of(
                    conn, from_s=min(float(one.time_s[0]) for one in pieces) - 60.0,
                    to_s=max(float(one.time_s[-1]) for one in pieces) + 60.0, source=source,
                    identities={one.identity for one in pieces},
                ))  # fmt: skip
        if there is None:
            with self._database.writing() as conn:
                there = batch_of(conn, source, name)
                if there is None:
                    kept = add_batch(conn, pieces, hash=name, source=source, person=by.user, at_s=now_s)
                    told = {"source": source, "count": kept.count}
                    self._acts.record(conn, by, "post positions", ref=name[:16], detail=told)
                    self._tell(kept.from_s, kept.to_s)
                    return Posted(kept, again=False, units=self._bound(pieces), warnings=self._warnings(pieces))
        return Posted(there, again=True, units=self._bound(pieces))

    def batches(self, before: int | None = None, *, limit: int = 100, source: str | None = None) -> list[KeptBatch]:
        """Batches, the newest first."""
        with self._database.reading() as conn:
            return batches_before(conn, before, limit=limit, source=source)

    def _check_against(self, pieces: Sequence[Piece], kept: Sequence[KeptPiece]) -> None:
        """Refuse what says that a unit was elsewhere than the same source said before."""
        faults: list[Fault] = []
        before: dict[Identity, list[Piece]] = {}
        for one in kept:
            before.setdefault(one.piece.identity, []).append(one.piece)
        for identity, known in before.items():
            own = [one for one in pieces if one.identity == identity]
            whole = joined([*known, *own], identity)
            already = {moment for first, second, _ in two_places(joined(known, identity)) for moment in (first, second)}
            if already:
                continue
            for first, second, apart_m in two_places(whole):
                place = to_text(float(whole.time_s[second]))
                faults.append(twice_fault(whole, first, second, apart_m, f"{identity.name} at {place}",
                                          "what the same source reported before"))  # fmt: skip
        if faults:
            raise InputError(faults[:1000])

    def _warnings(self, pieces: Sequence[Piece]) -> tuple[str, ...]:
        nobody = sorted({one.unit for one in self._bound(pieces) if not one.party})
        if not nobody:
            return ()
        some = ", ".join(nobody[:5]) + (f" and {len(nobody) - 5} others" if len(nobody) > 5 else "")
        return (f"No rule says whose {some} is: tracks without an owner, held against everybody's.",)

    def _tell(self, from_s: float, to_s: float) -> None:
        for listener in list(self._listeners):
            listener(from_s, to_s)
        self._bell.ring("event")

    # --- whose they are --------------------------------------------------------------------------------------------

    def bound(self, identity: Identity, at_s: float, among: Sequence[KeptRule] | None = None) -> Bound:
        """Whose unit something is at a time.

        A unit called by its own name is ours where no rule says otherwise: nobody else calls it so.
        """
        rule = _rule_for(identity, at_s, self.rules() if among is None else among)
        if rule is not None:
            domains = frozenset({Domain(rule.domain)} if rule.domain else ())
            plain = Bound(rule.party, rule.unit, None, rule.operation_kind, rule.platform_class, domains, rule.id)
            return self.with_operation(plain, rule.operation or rule.unit)
        if identity.unit:
            return self.with_operation(Bound(self._party, identity.unit), identity.unit)
        return Bound("", identity.name)

    def units(self, *, from_s: float | None = None, to_s: float | None = None) -> list[UnitSeen]:
        """The units of which there are positions here, by name."""
        known = self.rules()
        with self._database.reading() as conn:
            seen = seen_units(conn, from_s=from_s, to_s=to_s)
        return [
            UnitSeen(self.bound(one.identity, one.to_s, known), one.identity, one.source, one.from_s, one.to_s,
                     one.count)
            for one in seen
        ]  # fmt: skip

    def flown(self, from_s: float | None = None, to_s: float | None = None, *, unit: str | None = None) -> list[Flown]:
        """The tracks of ours, and of whoever our sources saw, from one time to another.

        What several sources say of a unit is one track, as long as they agree; where one unit cannot have been at all
        these places, what the most accurate source says.
        """
        known, given = self.rules(), {one.name: one for one in self.sources()}
        with self._database.reading() as conn:
            pieces = pieces_of(conn, from_s=from_s, to_s=to_s)
        groups: dict[Bound, dict[str, list[Piece]]] = {}
        binding: dict[tuple[Identity, float], Bound] = {}
        for one in pieces:
            for at_s, part in _by_rule(one.piece, known):
                key = (part.identity, -1.0 if not known else at_s)
                if key not in binding:
                    binding[key] = self.bound(part.identity, at_s, known)
                groups.setdefault(binding[key], {}).setdefault(one.source, []).append(part)
        wanted = sorted(groups.items(), key=lambda one: (one[0].party, one[0].unit, str(one[0].operation)))
        return [
            _merged(bound, [(given[name], parts) for name, parts in by_source.items()])
            for bound, by_source in wanted
            if unit is None or bound.unit == unit
        ]

    def pieces(self, unit: str, from_s: float, to_s: float) -> list[tuple[KeptSource, Bound, Piece]]:
        """The positions of a unit of ours from each source, under its own name."""
        known, given = self.rules(), {one.name: one for one in self.sources()}
        with self._database.reading() as conn:
            pieces = pieces_of(conn, from_s=from_s, to_s=to_s)
        groups: dict[tuple[str, Bound], list[Piece]] = {}
        for one in pieces:
            for at_s, part in _by_rule(one.piece, known):
                bound = self.bound(part.identity, at_s, known)
                if (bound.party, bound.unit) == (self._party, unit):
                    groups.setdefault((one.source, bound), []).append(part)
        wanted = sorted(groups.items(), key=lambda one: (one[0][0], min(part.time_s[0] for part in one[1])))
        return [(given[name], bound, joined(parts, Identity(unit=unit))) for (name, bound), parts in wanted]

    def _bound(self, pieces: Iterable[Piece]) -> tuple[Bound, ...]:
        known = self.rules()
        return tuple(dict.fromkeys(self.bound(one.identity, float(one.time_s[-1]), known) for one in pieces))

    def with_operation(self, bound: Bound, operation: str) -> Bound:
        """With the filing of that id, if the party has one: the newest that stands, or else the newest."""
        if not bound.party:
            return bound
        with self._database.reading() as conn:
            filed = [one for one in filings_of_thing(conn, bound.party, operation) if one.type == "operation"]
        counted = [one for one in filed if one.state is not FilingState.NOT_COUNTED]
        if not counted:
            return bound
        standing = [one for one in counted if one.state in (FilingState.ACTIVE, FilingState.EXPIRED)]
        newest = (standing or counted)[-1]
        domains = bound.domains or self.domains_of(newest.ref)
        return replace(bound, operation=newest.ref, kind=newest.kind or bound.kind, domains=domains)


def domains_filed(bodies: LineBodies, ref: EntryRef) -> frozenset[Domain]:
    """Where the units of a filing move, by what it says itself; empty where it leaves that to its kind."""
    body = bodies.body(ref)
    return frozenset(body.operation.domains) if isinstance(body, OperationBody) else frozenset()


def flown_of(bound: Bound, piece: Piece, source: KeptSource, *, batches: tuple[str, ...] = ()) -> Flown:
    """A track, as terms and labels take it."""
    return Flown(
        bound.party, bound.unit, piece.track(accuracy_m=source.accuracy_m), bound.operation, bound.kind,
        bound.platform_class, source.name, source.owner, source.max_age_s, batches, domains=bound.domains,
    )  # fmt: skip


def _merged(bound: Bound, given: Sequence[tuple[KeptSource, list[Piece]]]) -> Flown:
    """One track of what several sources said."""
    identity = Identity(unit=bound.unit)
    best = sorted(given, key=lambda one: (one[0].accuracy_m, one[0].name))
    widened = [
        replace(joined(parts, identity), uncertainty_m=joined(parts, identity).uncertainty_m + source.accuracy_m)
        for source, parts in best
    ]
    whole, used = widened[0], [best[0][0]]
    for (source, _), piece in zip(best[1:], widened[1:], strict=True):
        both = joined([whole, piece], identity)
        if not two_places(both):
            whole, used = both, [*used, source]
    named = KeptSource(
        " and ".join(one.name for one in used), used[0].owner, 0.0, max(one.max_age_s for one in used), 0.0, "", "", 0.0
    )
    return flown_of(bound, whole, named)


def _rule_for(identity: Identity, at_s: float, among: Sequence[KeptRule]) -> KeptRule | None:
    """The newest rule that names it at that time; one for the unit's own name before those for what others call it."""
    for kind in RULE_KINDS:
        value = getattr(identity, kind)
        if not value:
            continue
        for rule in reversed(among):
            named = rule.kind == kind and rule.value.casefold() == value.casefold()
            if named and (rule.from_s is None or rule.from_s <= at_s) and (rule.to_s is None or at_s <= rule.to_s):
                return rule
    return None


def _by_rule(piece: Piece, among: Sequence[KeptRule]) -> Iterator[tuple[float, Piece]]:
    """A piece, cut where another rule begins to hold for it; each part with its first time."""
    edges = sorted(
        {
            edge
            for rule in among
            if getattr(piece.identity, rule.kind).casefold() == rule.value.casefold()
            for edge in (rule.from_s, None if rule.to_s is None else rule.to_s + 0.001)
            if edge is not None and piece.time_s[0] < edge <= piece.time_s[-1]
        }
    )
    starts = [None, *edges]
    ends = [*(edge - 0.001 for edge in edges), None]
    for start, end in zip(starts, ends, strict=True):
        part = piece.between(start, end)
        if len(part):
            yield float(part.time_s[0]), part
