"""Every failure as one shape: problem details (RFC 9457), with all faults that a caller can mend."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["FaultTold", "Problem"]


class FaultTold(BaseModel):
    """One thing that is wrong with a request."""

    problem: str = Field(description="What is wrong.", examples=["the time has no zone"])
    right: str = Field(default="", description="What would be right.", examples=["write 2026-01-01T09:00:00Z"])
    field: str = Field(
        default="", description="Where: the member's path, the parameter or the header.", examples=["start"]
    )
    value: str = Field(
        default="", description="What was given, shortened; never a secret.", examples=["2026-01-01T09:00"]
    )
    feature: str = Field(default="", description="Which of several things in a file or list.")


class Problem(BaseModel):
    """What every failure looks like (RFC 9457)."""

    type: str = Field(description="Which kind of failure; the same for the same kind.", examples=["urn:keepclear:422"])
    title: str = Field(description="That kind in words.")
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What is wrong, and what would be right.")
    instance: str = Field(description="The request's id, as in the node's log.")
    faults: list[FaultTold] = Field(description="All that is wrong, so far as it was looked at.")
