"""Who may do what, who is on duty, and what they are alarmed of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from keepclear.client.requests import Requests, Tagged, read_as
from keepclear.values.alarms import (
    AlarmChannelAsked,
    AlarmChannelTold,
    AlarmTold,
    ChannelTriedTold,
    PostAsked,
    RosterTold,
)
from keepclear.values.users import (
    ActTold,
    MeTold,
    ProposalTold,
    SessionTold,
    TokenMadeTold,
    TokenTold,
    UserAddedTold,
    UserAsked,
    UserChangeAsked,
    UserTold,
)

__all__ = ["People"]


class People:
    """The part of a client that is about people."""

    requests: Requests

    def sign_in(self, name: str, password: str) -> SessionTold:
        """Begin a session, which this client then uses."""
        return read_as(SessionTold, self.requests.post("/sessions", {"name": name, "password": password}))

    def sign_out(self) -> None:
        """End the session."""
        self.requests.delete("/sessions/current")

    def me(self) -> MeTold:
        """Who we are here, and what we may do."""
        return self.requests.one(MeTold, "/me")

    def change_password(self, old: str, new: str) -> None:
        """Change our own password."""
        self.requests.put("/me/password", {"old": old, "new": new})

    def users(self) -> Iterator[UserTold]:
        """All users, by name."""
        return self.requests.all(UserTold, "/users")

    def user(self, name: str) -> Tagged[UserTold]:
        """One user."""
        return self.requests.one_tagged(UserTold, f"/users/{name}")

    def add_user(self, asked: UserAsked) -> UserAddedTold:
        """Add a user, or propose it."""
        return read_as(UserAddedTold, self.requests.post("/users", asked))

    def change_user(self, name: str, asked: UserChangeAsked, *, if_match: str) -> UserAddedTold:
        """Change a user, or propose it."""
        return read_as(UserAddedTold, self.requests.patch(f"/users/{name}", asked, if_match=if_match))

    def tokens(self, name: str) -> Iterator[TokenTold]:
        """The tokens of a user."""
        return self.requests.all(TokenTold, f"/users/{name}/tokens")

    def make_token(
        self, name: str, *, label: str, scopes: Sequence[str], good_for_s: float | None = None
    ) -> TokenMadeTold:
        """Make a token; it is shown this once."""
        asked: dict[str, Any] = {"label": label, "scopes": list(scopes)}
        asked |= {} if good_for_s is None else {"good_for_s": float(good_for_s)}
        return read_as(TokenMadeTold, self.requests.post(f"/users/{name}/tokens", asked))

    def end_token(self, token: str) -> None:
        """End the token of that id."""
        self.requests.delete(f"/tokens/{token}")

    def proposals(self) -> Iterator[ProposalTold]:
        """What was proposed and takes a second person, the newest first."""
        return self.requests.all(ProposalTold, "/proposals")

    def confirm(self, number: int) -> ProposalTold:
        """Confirm what another has proposed."""
        return read_as(ProposalTold, self.requests.post(f"/proposals/{number}/confirmation"))

    def refuse(self, number: int) -> ProposalTold:
        """Refuse what another has proposed."""
        return read_as(ProposalTold, self.requests.post(f"/proposals/{number}/refusal"))

    def acts(self, *, user: str | None = None, what: str | None = None, ref: str | None = None) -> Iterator[ActTold]:
        """What people did, the newest first."""
        return self.requests.all(ActTold, "/acts", user=user, what=what, ref=ref)

    # --- duty -------------------------------------------------------------------------------------------------------

    def alarms(self, *, acknowledged: bool = False) -> Iterator[AlarmTold]:
        """Alarms, the newest first; `acknowledged`: those too that somebody has acknowledged."""
        return self.requests.all(AlarmTold, "/alarms", all=acknowledged)

    def alarm(self, number: int) -> AlarmTold:
        """One alarm, and whom it was told."""
        return self.requests.one(AlarmTold, f"/alarms/{number}")

    def acknowledge(self, number: int, *, note: str = "") -> AlarmTold:
        """Say that we have seen an alarm."""
        return read_as(AlarmTold, self.requests.post(f"/alarms/{number}/acknowledgement", {"note": note}))

    def roster(self) -> Tagged[RosterTold]:
        """Who is on duty."""
        return self.requests.one_tagged(RosterTold, "/roster")

    def put_roster(self, posts: Sequence[PostAsked], *, if_match: str) -> RosterTold:
        """Say who is on duty."""
        asked = {"posts": [one.model_dump(mode="json") for one in posts]}
        return read_as(RosterTold, self.requests.put("/roster", asked, if_match=if_match))

    def alarm_channels(self) -> Iterator[AlarmChannelTold]:
        """The ways by which alarms leave the machine."""
        return self.requests.all(AlarmChannelTold, "/alarm-channels")

    def alarm_channel(self, name: str) -> Tagged[AlarmChannelTold]:
        """One of them."""
        return self.requests.one_tagged(AlarmChannelTold, f"/alarm-channels/{name}")

    def put_alarm_channel(self, name: str, asked: AlarmChannelAsked, *, if_match: str = "*") -> AlarmChannelTold:
        """Set one up, or change one; it is tried at once."""
        return read_as(AlarmChannelTold, self.requests.put(f"/alarm-channels/{name}", asked, if_match=if_match))

    def drop_alarm_channel(self, name: str, *, if_match: str) -> None:
        """Forget one."""
        self.requests.delete(f"/alarm-channels/{name}", if_match=if_match)

    def try_alarm_channels(self, name: str | None = None) -> list[ChannelTriedTold]:
        """Try one, or all."""
        told = self.requests.post("/alarm-channel-tests", {} if name is None else {"name": name})
        return [read_as(ChannelTriedTold, one) for one in told["items"]]
