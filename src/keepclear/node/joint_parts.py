"""What makes operations of several parties one: a plan that every participant has signed, and nothing less.

An operation may say that it is part of a plan. It is believed only where the plan, by its hash, is signed by every
participant in its role, and has this very operation in it; before that, and after any change, it is a plan like any
other, and in conflict with whatever it comes too close to.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sqlalchemy import Connection

from keepclear.model.operations import JointPlan, Operation
from keepclear.record.bodies.base import Body
from keepclear.record.bodies.joint import JointPlanBody, JointPlanSignedBody
from keepclear.record.entries import EntryRef
from keepclear.separation.asking import Thing
from keepclear.store.node.joint_parts import JointPart, add_parts, add_signature, is_signed, part_of
from keepclear.store.node.plan_bytes import packed

__all__ = ["are_parts", "believed", "content_hash", "take_joint"]


def content_hash(operation: Operation) -> bytes:
    """What identifies an operation in a plan: who does what where and when, and not what it says of the plan."""
    return hashlib.sha256(packed(replace(operation, joint=None, name=""))).digest()


def believed(conn: Connection, thing: Thing) -> Thing:
    """The thing, part of a joint plan only where that is so."""
    if not isinstance(thing, Operation) or thing.joint is None:
        return thing
    line, ids = part_of(conn, thing.joint.plan, thing.party, thing.id, content_hash(thing))
    if not line:
        return replace(thing, joint=None)
    return replace(thing, joint=JointPlan(thing.joint.plan, frozenset(ids) - {thing.id}))


def are_parts(conn: Connection, first: Thing | None, second: Thing | None) -> bool:
    """Whether two operations are parts of one plan that all have signed."""
    if not isinstance(first, Operation) or not isinstance(second, Operation):
        return False
    a, b = believed(conn, first), believed(conn, second)
    assert isinstance(a, Operation)
    assert isinstance(b, Operation)
    return a.joint is not None and b.joint is not None and a.joint.plan == b.joint.plan


def take_joint(conn: Connection, line: str, ref: EntryRef, party: str, body: Body | None, at_s: float) -> str:
    """Put an entry that tells of a plan, or signs one, into the tables; the plan that is now signed by all, else empty.

    Who signs in another role than the plan gives it has not signed.
    """
    if isinstance(body, JointPlanBody):
        plan = body.plan.hash
        roles = {one.party: one.role for one in body.plan.participants}
        parts = [JointPart(one.party, roles[one.party], one.id, content_hash(one)) for one in body.plan.models()]
        add_parts(conn, line, ref, plan, parts)
    elif isinstance(body, JointPlanSignedBody):
        plan = body.plan
        add_signature(conn, line, ref, plan, party, body.role, at_s)
    else:
        return ""
    return plan if is_signed(conn, line, plan) else ""
