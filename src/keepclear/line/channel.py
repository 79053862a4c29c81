"""The state of the channel to one other party, by what is heard of it. It has nothing to do with any agreement.

Heartbeats come every minute. They are signed and are no entries; who checks them, and what they carry, is elsewhere:
here only when one was heard counts, by our own clock, and whether the other side hears us. Silence is known too, at
the moment it becomes too long. Line tests are entries, twice a day, with every character that messages may need.

All changes stand in `TRANSITIONS`; what is not there changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from keepclear.errors import Fault, InputError

__all__ = [
    "CHARACTERS",
    "DEFAULT_TIMING",
    "TRANSITIONS",
    "Change",
    "Channel",
    "ChannelEvent",
    "ChannelState",
    "Timing",
    "lost_characters",
    "next_test_s",
]

_DAY_S = 86_400.0


class ChannelState(StrEnum):
    """How the channel is."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    TESTING = "testing"


class ChannelEvent(StrEnum):
    """What happens to a channel."""

    HEARD = "a heartbeat was heard, and the other side hears us"
    HEARD_ONE_WAY = "a heartbeat was heard, but the other side does not hear us"
    MISSED = "several heartbeats in a row were missed"
    SILENT = "nothing was heard for too long"
    TEST_BEGUN = "a line test was begun"
    TEST_PASSED = "the line test came back whole"
    TEST_FAILED = "the line test did not come back whole in time"


_UP, _DEGRADED, _DOWN, _TESTING = ChannelState.UP, ChannelState.DEGRADED, ChannelState.DOWN, ChannelState.TESTING

# A test that failed is not forgotten because a heartbeat comes: a line that loses letters stays degraded until a test
# passes. That rule needs memory besides the state (`Channel.test_failed`), and is applied before this table is asked.
TRANSITIONS: Mapping[tuple[ChannelState, ChannelEvent], ChannelState] = MappingProxyType(
    {
        (_UP, ChannelEvent.HEARD_ONE_WAY): _DEGRADED,
        (_UP, ChannelEvent.MISSED): _DEGRADED,
        (_UP, ChannelEvent.SILENT): _DOWN,
        (_UP, ChannelEvent.TEST_BEGUN): _TESTING,
        (_UP, ChannelEvent.TEST_FAILED): _DEGRADED,  # one that was overdue, or given back late
        (_DEGRADED, ChannelEvent.HEARD): _UP,
        (_DEGRADED, ChannelEvent.SILENT): _DOWN,
        (_DEGRADED, ChannelEvent.TEST_BEGUN): _TESTING,
        (_DEGRADED, ChannelEvent.TEST_PASSED): _UP,
        (_DOWN, ChannelEvent.HEARD): _UP,
        (_DOWN, ChannelEvent.HEARD_ONE_WAY): _DEGRADED,
        (_DOWN, ChannelEvent.TEST_PASSED): _DEGRADED,
        (_TESTING, ChannelEvent.TEST_PASSED): _UP,
        (_TESTING, ChannelEvent.TEST_FAILED): _DEGRADED,
        (_TESTING, ChannelEvent.MISSED): _DEGRADED,
        (_TESTING, ChannelEvent.SILENT): _DOWN,
    }
)
"""What follows on what. A channel that is down can be tested, and stays down until the test comes back."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When silence is too long, and when the line is tested; an agreement may say otherwise.

    Attributes
    ----------
    heartbeat_s
        Seconds from one heartbeat to the next.
    missed
        How many missed in a row make the channel degraded.
    silent_s
        Seconds of silence that make it down.
    test_s
        Seconds after midnight UTC at which the line is tested.
    test_within_s
        Seconds in which a test must come back.

    Raises
    ------
    InputError
        If they are out of order.
    """

    heartbeat_s: float = 60.0
    missed: int = 3
    silent_s: float = 900.0
    test_s: tuple[float, ...] = (6 * 3600.0, 18 * 3600.0)
    test_within_s: float = 300.0

    def __post_init__(self) -> None:
        faults = []
        if not (self.heartbeat_s > 0.0 and self.missed >= 1 and self.missed_s < self.silent_s):
            right = "a heartbeat of more than 0 s, at least one missed, and silence longer than those missed"
            faults.append(Fault("heartbeats and silence do not go together", right, field="silent_s"))
        if not self.test_s or any(not 0.0 <= one < _DAY_S for one in self.test_s):
            faults.append(Fault("not the times of tests", "at least one, from 0 to 86,399 s", field="test_s"))
        if not self.test_within_s > 0.0:
            faults.append(Fault("no time for a test to come back", "more than 0 s", field="test_within_s"))
        if faults:
            raise InputError(faults)

    @property
    def missed_s(self) -> float:
        """Seconds of silence after which so many heartbeats were missed."""
        return self.heartbeat_s * self.missed


DEFAULT_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state, when, and why; every one is shown and alerted."""

    at_s: float
    before: ChannelState
    after: ChannelState
    event: ChannelEvent


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel to one party. Nothing was ever heard to begin with, so it is down.

    Attributes
    ----------
    state
        How it is.
    since_s
        Since when; None if it never was otherwise.
    heard_s
        When a heartbeat was last heard, by our clock.
    looked_s
        Up to when silence has been looked at; our clock may step back, and what happened stays so.
    test_begun_s
        When the test that is under way was begun; None if none is.
    test_failed
        Whether the last test failed.
    hears_us
        Whether the other side said, in what was last heard, that it hears us.
    """

    state: ChannelState = ChannelState.DOWN
    since_s: float | None = None
    heard_s: float | None = None
    looked_s: float | None = None
    test_begun_s: float | None = None
    test_failed: bool = False
    hears_us: bool = False

    def at(self, now_s: float, *, timing: Timing = DEFAULT_TIMING) -> tuple[Channel, tuple[Change, ...]]:
        """The channel at that time if nothing was heard meanwhile, and what changed, at the moments it did."""
        channel, changes = self, list[Change]()
        for at_s, event in self._silences(timing):
            if at_s <= now_s:
                channel, change = _after(channel, event, at_s, timing)
                changes += change
        return replace(channel, looked_s=_later(channel.looked_s, now_s)), tuple(changes)

    def heard(
        self, at_s: float, *, hears_us: bool, timing: Timing = DEFAULT_TIMING
    ) -> tuple[Channel, tuple[Change, ...]]:
        """After a heartbeat that was heard then; `hears_us` is what it says the other side lately heard of us."""
        channel, changes = self.at(at_s, timing=timing)
        at_s = _later(channel.looked_s, at_s)
        channel = replace(channel, heard_s=at_s, hears_us=hears_us)
        channel, more = _after(channel, ChannelEvent.HEARD if hears_us else ChannelEvent.HEARD_ONE_WAY, at_s, timing)
        return channel, changes + more

    def test_begun(self, at_s: float, *, timing: Timing = DEFAULT_TIMING) -> tuple[Channel, tuple[Change, ...]]:
        """After a line test was sent then. Messages go on meanwhile: a test holds nothing up."""
        channel, changes = self.at(at_s, timing=timing)
        at_s = _later(channel.looked_s, at_s)
        channel, more = _after(channel, ChannelEvent.TEST_BEGUN, at_s, timing)
        return replace(channel, test_begun_s=at_s), changes + more

    def test_returned(
        self, at_s: float, *, whole: bool, timing: Timing = DEFAULT_TIMING
    ) -> tuple[Channel, tuple[Change, ...]]:
        """After the test came back then; `whole` if no character was lost (`lost_characters`)."""
        channel, changes = self.at(at_s, timing=timing)
        at_s = _later(channel.looked_s, at_s)
        # A test whose answer came at all was heard both ways, though not by heartbeats: those are still missed.
        channel = replace(channel, test_begun_s=None, test_failed=not whole)
        channel, more = _after(channel, ChannelEvent.TEST_PASSED if whole else ChannelEvent.TEST_FAILED, at_s, timing)
        return channel, changes + more

    def next_s(self, *, timing: Timing = DEFAULT_TIMING) -> float | None:
        """When silence will change something next; None if it will not."""
        ahead = [at_s for at_s, event in self._silences(timing) if _after(self, event, at_s, timing)[0] != self]
        return min(ahead, default=None)

    def _silences(self, timing: Timing) -> list[tuple[float, ChannelEvent]]:
        """What happens if nothing more is heard, and when, in order; what has been looked at already is left out."""
        found = []
        if self.heard_s is not None:
            found.append((self.heard_s + timing.missed_s, ChannelEvent.MISSED))
            found.append((self.heard_s + timing.silent_s, ChannelEvent.SILENT))
        if self.test_begun_s is not None:
            found.append((self.test_begun_s + timing.test_within_s, ChannelEvent.TEST_FAILED))
        looked_s = self.looked_s
        return sorted(one for one in found if looked_s is None or one[0] > looked_s)


def _after(channel: Channel, event: ChannelEvent, at_s: float, timing: Timing) -> tuple[Channel, tuple[Change, ...]]:
    before = channel.state
    if event is ChannelEvent.TEST_FAILED:
        channel = replace(channel, test_failed=True, test_begun_s=None)
    after = TRANSITIONS.get((before, event), before)
    if after is _UP and not _may_be_up(channel, at_s, timing):
        after = _DEGRADED
    if after is before:
        return channel, ()
    return replace(channel, state=after, since_s=at_s), (Change(at_s, before, after, event),)


def _may_be_up(channel: Channel, at_s: float, timing: Timing) -> bool:
    """Whether nothing speaks against it: a test that passed is no heartbeat, and a heartbeat is no test."""
    lately = channel.heard_s is not None and at_s - channel.heard_s < timing.missed_s
    return lately and channel.hears_us and not channel.test_failed


def _later(one_s: float | None, other_s: float) -> float:
    return other_s if one_s is None else max(one_s, other_s)


def next_test_s(after_s: float, *, timing: Timing = DEFAULT_TIMING) -> float:
    """When the line is tested next after that time."""
    midnight_s = after_s // _DAY_S * _DAY_S
    return min(one for day in (0, 1) for at in timing.test_s if (one := midnight_s + day * _DAY_S + at) > after_s)


CHARACTERS = "\n".join(
    (
        "".join(map(chr, range(0x20, 0x7F))),
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ",
        "ÇçĞğİıÖöŞşÜü ĄąĆćĘęŁłŃńŚśŹźŻż ČčĎďĚěŇňŘřŠšŤťŮůŽž ĂăȘșȚț ŐőŰű",
        "ЀЁЂЃЄЅІЇЈЉЊЋЌЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќўџҐґ",
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψωάέήίόύώ",
        "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي پچژگک ێۆڕڵ ًٌٍَُِّْ",
        "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
        "٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹ ٫٬؛؟ ० १ २ ३ ४ ५ ६ ७ ८ ९",
        "한국어조선말 中文军队 日本語かなカナ ԱԲԳաբգ აბგდ",
        "°′″ºª ±×÷≤≥ «»„“”‘’–— № § € £ ¥ ₪ ₺ ₽ … → ←",
        "\u200e37.2N 42.0E\u200f ٣٧٫٢ \U0001f6a9 𠀀",
    )
)
"""The text of a line test: the scripts and marks of those who share lines, of both directions and beyond 16 bits."""


def lost_characters(sent: str, returned: str) -> tuple[str, ...]:
    """Characters of a test that did not come back, each with its name, in the order they were sent; none if all did.

    What came back is compared as a screen shows it (NFC): a keyboard may compose an accent otherwise. Characters in
    another order are lost too: then all from the first that is out of its place are named.
    """
    wanted, got = unicodedata.normalize("NFC", sent), unicodedata.normalize("NFC", returned)
    if wanted == got:
        return ()
    missing = [one for one in dict.fromkeys(wanted) if one not in set(got)]
    if not missing:
        place = next((n for n, (one, two) in enumerate(zip(wanted, got, strict=False)) if one != two), None)
        missing = list(dict.fromkeys(wanted[min(len(wanted), len(got)) if place is None else place :]))
    return tuple(_named(one) for one in missing) or ("more came back than was sent",)


def _named(character: str) -> str:
    return f"{character!r} {unicodedata.name(character, f'U+{ord(character):04X}')}"
