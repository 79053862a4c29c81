"""Compliance reports of agreements: on demand, and by themselves each morning, of the day before.

A report judges what counts on the record by the terms that bound at the time; it is made of what this node knows, and
says what it does not know. The daily ones are files in the node's folder, beside each other in three forms.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from keepclear.agreements.documents import Document
from keepclear.agreements.evaluating import evaluate
from keepclear.agreements.facts import Filed, Finding, Flown, RecordView
from keepclear.agreements.report_pages import html_page, markdown_page
from keepclear.agreements.reporting import Happening, Report, parse_zones, rows_of
from keepclear.agreements.standing import Period
from keepclear.errors import Fault, InputError, KeepclearError, StoreError
from keepclear.line.said import Said
from keepclear.node.agreement_reading import Agreements, AgreementView, said_of_it
from keepclear.node.line_bodies import LineBodies
from keepclear.node.line_facts import LineFacts, read_facts
from keepclear.node.records import Records
from keepclear.node.terms_in_force import terms_of
from keepclear.store.files import write_whole
from keepclear.store.node import events
from keepclear.store.node.database import NodeDatabase
from keepclear.times import to_datetime, to_text

__all__ = ["Compliance"]

_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_LOOK_S = 60.0
_LONGEST_S = 366 * _DAY_S


class Compliance:
    """Makes reports. `start` has a thread make the daily ones; the process that leads the node does.

    Parameters
    ----------
    folder
        Where the daily reports are written: ``reports`` in it.
    records, database, clock
        The node's.
    agreements, bodies
        How agreements stand, and what was said.
    hour
        Of the day, UTC, at which those of the day before are made.
    zones
        The parties' time zones, as the setting has them.
    """

    def __init__(
        self,
        folder: Path,
        records: Records,
        database: NodeDatabase,
        agreements: Agreements,
        bodies: LineBodies,
        clock: Callable[[], float],
        *,
        hour: float = 5.0,
        zones: str = "",
    ) -> None:
        self._folder, self._records, self._database = folder / "reports", records, database
        self._agreements, self._bodies, self._clock = agreements, bodies, clock
        self._hour_s, self._zones = hour * _HOUR_S, parse_zones(zones)
        self.tracks: Callable[[str, float, float], Sequence[Flown]] = lambda _line, _from_s, _to_s: ()
        """Where units were, by line, from when to when; none are known where nobody gives them."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # --- one report ------------------------------------------------------------------------------------------------

    def report(
        self,
        agreement: str,
        line: str | None = None,
        *,
        from_s: float | None = None,
        to_s: float | None = None,
        zones: Mapping[str, str] | None = None,
    ) -> Report:
        """The report of an agreement over a time; left out: the last day up to now.

        Parameters
        ----------
        zones
            Time zones of parties, besides those of the setting.

        Raises
        ------
        NotFoundError
            If there is no such agreement.
        InputError
            If the time is none, or longer than a year.
        """
        now_s = self._clock()
        to_s = now_s if to_s is None else to_s
        from_s = to_s - _DAY_S if from_s is None else from_s
        if not from_s < to_s:
            right = "a time after the start"
            raise InputError(Fault("the end is not after the start", right, field="to", value=to_text(to_s)))
        if to_s - from_s > _LONGEST_S:
            raise InputError(Fault("too long for one report", "at most a year", field="from", value=to_text(from_s)))
        view = self._agreements.found(agreement, line)
        facts = self._facts(view.line, from_s, to_s, now_s)
        tracks = self.tracks(view.line, from_s, to_s)
        findings, types, aside = self._findings(view, facts.filings, tracks, facts.view, from_s, to_s, now_s)
        rows, within = rows_of(findings, types)
        counts = Counter(within) + Counter(aside)
        unread = sum(1 for one in facts.filings if one.problem)
        notes = [f"{unread} filings could not be read here, and are judged by nothing but that."] if unread else []
        if facts.untold:
            notes.append(
                f"{facts.untold} filings are not known to have reached anybody yet, and are not judged as told."
            )
        document = self._document(view, from_s, to_s)
        return Report(
            agreement=view.id, title=view.main.title, line=view.line,
            document="" if document is None else document.hash, parties=view.main.parties,
            state=str(view.standing.state), since_s=_since(view), from_s=from_s, to_s=to_s, made_s=now_s, rows=rows,
            within=dict(sorted(counts.items())), judged=len(facts.filings), zones=dict(self._zones) | dict(zones or {}),
            happenings=tuple(_happenings(view, from_s, to_s)), notes=tuple(notes),
        )  # fmt: skip

    def _facts(self, line: str, from_s: float, to_s: float, at_s: float) -> LineFacts:
        """What was said on a line, and what was filed there that belongs to a time."""
        return read_facts(
            partial(self._agreements.conversation, line), self._bodies, line, at_s,
            lambda said, counts_s: _is_of(said, counts_s, from_s, to_s),
        )  # fmt: skip

    def _findings(
        self,
        view: AgreementView,
        filings: Sequence[Filed],
        tracks: Sequence[Flown],
        record: RecordView,
        from_s: float,
        to_s: float,
        at_s: float,
    ) -> tuple[list[Finding], dict[str, str], Mapping[str, int]]:
        """What the terms say that bound in that time, the type of each, and how many filings are simply within it."""
        found: list[Finding] = []
        within = Counter[str]()
        types: dict[str, str] = {}
        for period in _periods(view, from_s, to_s):
            terms = terms_of(period.document)
            types |= {term.id: term.TYPE or getattr(term, "written_type", "") for term in terms}
            bound = [one for one in filings if _is_in(one, period)]
            told = evaluate(terms, bound, tracks, record, at_s=at_s)
            found += [one for one in told.findings if _is_told(one, from_s)]
            within.update(told.within)
        disputing = _disputing(view)
        return [replace(one, disputed_by=one.disputed_by or disputing) for one in found], types, within

    @staticmethod
    def _document(view: AgreementView, from_s: float, to_s: float) -> Document | None:
        found = [period.document for period in _periods(view, from_s, to_s)]
        return found[-1] if found else None

    # --- every day -------------------------------------------------------------------------------------------------

    def make_due(self) -> int:
        """Make the reports of the day before that are due and were not made; how many that were."""
        now_s = self._clock()
        day_s = (now_s - self._hour_s) // _DAY_S * _DAY_S  # 00:00Z of the day whose hour has come
        made = 0
        for view in self._agreements.views():
            if any(True for _ in _periods(view, day_s - _DAY_S, day_s)):
                made += self._make(view, day_s - _DAY_S, day_s)
        return made

    def _make(self, view: AgreementView, from_s: float, to_s: float) -> int:
        path = self._folder / view.line / view.id / f"{to_datetime(from_s):%Y-%m-%d}"
        files = {".json": Report.to_json, ".html": html_page, ".md": markdown_page}
        if path.with_suffix(".md").exists():  # the last that is written
            return 0
        report = self.report(view.id, view.line, from_s=from_s, to_s=to_s)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for suffix, written in files.items():
                write_whole(path.with_suffix(suffix), written(report).encode(), mode=0o600)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
        data = {"agreement": view.id, "report": path.name, "counts": dict(report.counts)}
        with self._database.writing() as conn:
            events.say(conn, "agreement", data, at_s=self._clock(), line=view.line)
        return 1

    def start(self) -> None:
        """Have a thread make the daily reports."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="keepclear-compliance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        problem = ""
        while not self._stopping.wait(_LOOK_S):
            try:
                self.make_due()
            except KeepclearError as error:
                if str(error) != problem:
                    problem = str(error)
                    with self._database.writing() as conn:
                        data = {"problem": f"the daily report could not be made: {problem}"}
                        events.say(conn, "agreement", data, at_s=self._clock())


def _periods(view: AgreementView, from_s: float, to_s: float) -> Iterator[Period]:
    """When a document bound its parties, within that time."""
    for period in view.standing.periods:
        if period.from_s < to_s and (period.to_s is None or period.to_s > from_s):
            yield period


def _is_of(filed: Said, counts_s: float | None, from_s: float, to_s: float) -> bool:
    """Whether a filing belongs to that time: it was told then, or takes place then, or may."""
    told = counts_s is not None and from_s <= counts_s < to_s
    starts = filed.start_s is None or filed.start_s < to_s
    return told or (starts and (filed.end_s is None or filed.end_s >= from_s))


def _is_in(filed: Filed, period: Period) -> bool:
    starts = period.to_s is None or filed.start_s is None or filed.start_s < period.to_s
    return starts and (filed.end_s is None or filed.end_s >= period.from_s)


def _is_told(finding: Finding, from_s: float) -> bool:
    """Whether a finding belongs into a report of that time: those of filings do, and what was or is due by then."""
    if finding.about is not None:
        return True
    due = finding.due_s
    if due is not None and due < from_s:
        return finding.result.value == "breached"  # what was due before, and is still not done
    return finding.to_s is None or finding.to_s >= from_s


def _disputing(view: AgreementView) -> tuple[str, ...]:
    return tuple(sorted({party for one in view.standing.disputes for party in one.parties}))


def _since(view: AgreementView) -> float | None:
    return view.standing.since_s or view.standing.version.state_s


def _happenings(view: AgreementView, from_s: float, to_s: float) -> Iterator[Happening]:
    for one in sorted(view.heard, key=lambda heard: heard.counts_from_s or heard.said_s):
        at_s = one.counts_from_s
        if at_s is not None and from_s <= at_s < to_s:
            yield Happening(at_s, said_of_it(one), one.ref)
