"""Users, tokens, proposals and acts, from what is kept to what is told."""

from __future__ import annotations

from keepclear.store.node.acts import Act
from keepclear.store.node.tokens import KeptToken
from keepclear.store.node.two_person import KeptProposal
from keepclear.store.node.users import KeptUser
from keepclear.values.base import moment, moment_or_none
from keepclear.values.users import ActTold, ProposalTold, TokenTold, UserTold

__all__ = ["told_act", "told_proposal", "told_token", "told_user"]


def told_user(user: KeptUser) -> UserTold:
    """A user, without anything of their password."""
    return UserTold(
        name=user.name, shown=user.shown, roles=list(user.roles), added=moment(user.added_s),
        disabled=moment_or_none(user.disabled_s), has_password=bool(user.password),
        must_change_password=user.must_change,
    )  # fmt: skip


def told_token(token: KeptToken) -> TokenTold:
    """A token, without anything of its secret."""
    return TokenTold(
        id=token.id, user=token.user, label=token.label, scopes=list(token.scopes), made=moment(token.made_s),
        ends=moment(token.ends_s), used=moment_or_none(token.used_s), ended=moment_or_none(token.ended_s),
    )  # fmt: skip


def told_proposal(proposal: KeptProposal) -> ProposalTold:
    """A proposal in words; its content is for the node alone."""
    return ProposalTold(
        id=proposal.id, kind=proposal.kind, subject=proposal.subject, state=proposal.state,
        proposed_by=proposal.proposed_by, proposed=moment(proposal.proposed_s), ends=moment(proposal.ends_s),
        decided_by=proposal.decided_by, decided=moment_or_none(proposal.decided_s), outcome=proposal.outcome,
    )  # fmt: skip


def told_act(act: Act) -> ActTold:
    """An act."""
    return ActTold(
        id=act.id, at=moment(act.at_s), user=act.user, via=act.via, credential=act.credential, address=act.address,
        what=act.what, ref=act.ref, detail=dict(act.detail),
    )  # fmt: skip
