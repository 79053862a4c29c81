"""What keeps a line of use: tests of it, advice of conflicts found, and risks that were accepted knowingly."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from keepclear.errors import Fault, InputError
from keepclear.record.bodies.base import MOST_PARTS, Body, Line, Number, Text, Value
from keepclear.record.bodies.references import EntryRefValue
from keepclear.record.entry_types import EntryType

__all__ = ["AcceptedRiskBody", "AdvisoryBody", "AdvisoryInterval", "ChannelTried", "ClosestMoment", "LineTestBody"]

_Distance = Annotated[float, Field(ge=0.0, le=1e9, allow_inf_nan=False)]
_Found = Literal["conflict", "possible"]
_MOST_CHANNELS = 100
_MOST_ADVISED = 64  # each pair of them is looked at


class ChannelTried(Value):
    """A way out of the machine that was tried with the test, and whether somebody or something answered there."""

    channel: Line
    worked: bool
    note: Line | None = None


class LineTestBody(Body):
    """A test of the line, with every character that messages may need; or a test given back as it was read.

    Attributes
    ----------
    text
        The characters: those of the test, or as they stood on the other side's screen and were entered there.
    returns
        The test that this gives back.
    tried
        The channels for escalation that were tried along with it.
    """

    TYPE: ClassVar[EntryType] = EntryType.LINE_TEST

    text: Text
    returns: EntryRefValue | None = None
    tried: Annotated[list[ChannelTried], Field(max_length=_MOST_CHANNELS)] = Field(default=[])


class AdvisoryInterval(Value):
    """A time during which the two are too close (``conflict``) or may be (``possible``); what is left out is open."""

    answer: _Found
    start_s: Number | None = None
    end_s: Number | None = None


class ClosestMoment(Value):
    """The moment of least horizontal distance while both minima are broken, at the surface of the ellipsoid."""

    lon_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    lat_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    horizontal_m: _Distance
    vertical_m: _Distance | None = None
    time_s: Number | None = None


class AdvisoryBody(Body):
    """A party tells that filings come too close to one of its own, or may. It asks for an answer, and allows nothing.

    Attributes
    ----------
    about
        The filings: from two to 64, one of them of the party itself.
    answer
        ``conflict`` or ``possible``.
    intervals
        When; none where no time is known.
    closest
        Where they come closest.
    minima
        The rule that is broken, and what it asks, in words.
    sentence
        The conflict in one sentence that can be read out.
    """

    TYPE: ClassVar[EntryType] = EntryType.ADVISORY

    about: Annotated[list[EntryRefValue], Field(min_length=2, max_length=_MOST_ADVISED)]
    answer: _Found
    sentence: Text
    intervals: Annotated[list[AdvisoryInterval], Field(max_length=MOST_PARTS)] = Field(default=[])
    closest: ClosestMoment | None = None
    minima: Line | None = None

    def check(self) -> None:
        """Check that no filing is named twice, no interval ends before it starts, and the answer is the gravest."""
        faults = []
        if len({one.ref() for one in self.about}) < len(self.about):
            faults.append(Fault("a filing is named twice", "each once", field="about"))
        for number, one in enumerate(self.intervals):
            if one.start_s is not None and one.end_s is not None and one.end_s < one.start_s:
                faults.append(Fault("the end is before the start", field=f"intervals[{number}].end_s"))
        if self.answer == "possible" and any(one.answer == "conflict" for one in self.intervals):
            right = "conflict, as in one of the intervals"
            faults.append(Fault("less grave than an interval", right, field="answer", value=self.answer))
        if faults:
            raise InputError(faults)

    @property
    def start_s(self) -> float | None:
        """When the first interval begins; ``None`` where that is not known."""
        starts = [one.start_s for one in self.intervals]
        known = [one for one in starts if one is not None]
        return min(known) if known and len(known) == len(starts) else None


class AcceptedRiskBody(Body):
    """A party goes on with its filing although an advisory stands. It speaks for itself alone, and permits nobody.

    Attributes
    ----------
    advisory
        Which.
    reason
        Why, and what it does about it.
    """

    TYPE: ClassVar[EntryType] = EntryType.ACCEPTED_RISK

    advisory: EntryRefValue
    reason: Text
