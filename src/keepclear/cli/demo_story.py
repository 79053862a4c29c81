"""The story that the demonstration tells: what happens is asked of the nodes, and told as they answer."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from keepclear.cli.demo_nodes import DemoNode
from keepclear.clock import monotonic_s, now_s
from keepclear.errors import StoreError

__all__ = ["Story"]

_LINE = "river-bank"
_WAIT_S = 40.0
_HOUR_S = 3600.0


class Story:
    """Two parties, and what they go through.

    Parameters
    ----------
    folder
        An empty one, for everything.
    tell
        Is given each line of the story.
    """

    def __init__(self, folder: Path, *, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._nodes: list[DemoNode] = []
        self._start_s = (now_s() // _HOUR_S + 72.0) * _HOUR_S

    def run(self) -> None:
        """Tell it from beginning to end."""
        begun_s = monotonic_s()
        self._set_up()
        self._join()
        patrol, convoy = self._file()
        self._warn()
        convoy = self._amend(convoy)
        self._answer(patrol, convoy)
        self._prove(patrol)
        self._break()
        self._tell(f"\nThat was all, in {monotonic_s() - begun_s:.0f} s.".strip("\n"))

    def end(self) -> None:
        """Stop whatever still runs."""
        for node in self._nodes:
            node.stop()
        self._nodes.clear()

    # --- the chapters ----------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        self._chapter("Two parties set up their nodes")
        for party, name in (("NORTH", "Northern cell"), ("SOUTH", "Southern cell")):
            node = DemoNode(self._folder / party.lower(), party, name, time_s=now_s())
            self._nodes.append(node)
            node.start()
        for node in self._nodes:
            node.wait()
            party, name = node.party, node.name
            self._tell(f"{party} ({name}) has keys, a database and an officer; its node is at {node.url}.")

    def _join(self) -> None:
        north, south = self._nodes
        self._chapter("They come together on a line, by words read over a telephone")
        north.ask.requests.post("/lines", {"name": "River bank", "line": _LINE})
        invitation = north.ask.requests.post(f"/lines/{_LINE}/invitations", {})["invitation"]
        self._tell("NORTH begins the line River bank, and hands SOUTH an invitation.")
        self._tell(f"NORTH reads its words to SOUTH: {north.words}.")
        south.ask.requests.post("/lines/joinings", {"invitation": invitation, "words": north.words})
        self._tell("SOUTH has typed what it heard: they are the words of the key in the invitation. It joins.")
        self._until("the answer has come", lambda: list(north.ask.acceptances(_LINE)))
        self._tell(f"SOUTH reads its words to NORTH: {south.words}.")
        north.ask.requests.post(f"/lines/{_LINE}/admissions", {"party": south.party, "words": south.words})
        for node in self._nodes:
            self._until("both are on the line", lambda node=node: self._members(node) == ["NORTH", "SOUTH"])  # type: ignore[misc]
        self._tell("Both logs say now that NORTH and SOUTH are on the line, by their own words.")

    def _file(self) -> tuple[str, str]:
        north, south = self._nodes
        self._chapter("Each files what it plans, and the plans come too close")
        patrol = north.ask.requests.post("/operations", {"line": _LINE, "operation": self._patrol()})
        self._tell(f"NORTH files a patrol: {patrol['id']}. {patrol['found_before']['sentence']}")
        self._until("it has arrived", lambda: self._has(south, patrol["id"]))
        convoy = south.ask.requests.post("/operations", {"line": _LINE, "operation": self._convoy(0.0)})
        self._tell(f"SOUTH files a convoy through the same valley: {convoy['id']}.")
        for one in convoy["found_after"]["conflicts"]:
            self._tell(f"  SOUTH is told at once: {one['sentence']}")
        return patrol["id"], convoy["id"]

    def _warn(self) -> None:
        north, south = self._nodes
        self._chapter("Both are warned")
        for node in (north, south):
            found = self._until("it has searched", lambda node=node: list(node.ask.conflicts()))  # type: ignore[misc]
            self._tell(f"{node.party} knows of it: {found[0].found.sentence}")
        advisory = self._until("an advisory has been said", self._advisory)
        self._tell(f"{advisory['party']} advises of it by {advisory['id']}, which is in its log for ever.")

    def _amend(self, convoy: str) -> str:
        south = self._nodes[1]
        self._chapter("SOUTH amends its plan")
        _, tag = south.ask.requests.tagged(f"/operations/{convoy}")
        later = {"line": _LINE, "operation": self._convoy(6 * _HOUR_S)}
        told = south.ask.requests.put(f"/operations/{convoy}", later, if_match=tag)
        self._tell(f"SOUTH goes six hours later: {told['id']}. {told['found_after']['sentence']}")
        for node in self._nodes:
            self._until(
                "the conflict is resolved",
                lambda node=node: all(one.state == "resolved" for one in node.ask.conflicts()),  # type: ignore[misc]
            )
        self._tell("At both nodes the conflict is resolved.")
        return str(told["id"])

    def _answer(self, patrol: str, convoy: str) -> None:
        north, south = self._nodes
        self._chapter("Each has seen the other's plan, which is no approval of it")
        self._until("it has arrived", lambda: self._has(north, convoy))
        for node, entry in ((north, convoy), (south, patrol)):
            said = node.ask.requests.post(f"/entries/{entry}/answers", {"answer": "seen"})
            self._tell(f"{node.party} answers {entry}: SEEN ({said['id']}).")
        for node, entry in ((north, patrol), (south, convoy)):
            standing = self._until("the answer has come", lambda node=node, entry=entry: self._seen(node, entry))  # type: ignore[misc]
            self._tell(f"{node.party} reads of {entry}: {standing}")

    def _prove(self, patrol: str) -> None:
        from keepclear.cli.app import run

        north = self._nodes[0]
        self._chapter("NORTH proves to anybody what it told SOUTH, without a network")
        place = self._folder / "proof"
        place.mkdir()
        with zipfile.ZipFile(io.BytesIO(north.ask.requests.octets(f"/entries/{patrol}/proof"))) as files:
            files.extractall(place)  # of our own node
        (proof,), (policy,), (entry,) = (list(place.glob(f"*{end}")) for end in (".tlog-proof", ".policy", ".json"))
        self._tell(f"keepclear verify {proof.name} --entry {entry.name} --policy {policy.name}")
        if run(["verify", str(proof), "--entry", str(entry), "--policy", str(policy)]):
            raise StoreError("the proof does not hold")

    def _break(self) -> None:
        north, south = self._nodes
        self._chapter("SOUTH's node is killed; NORTH goes on; nothing is lost")
        south.kill()
        told = north.ask.requests.post(
            "/messages", {"line": _LINE, "text": "The bridge at the mill is closed.", "priority": "short"}
        )
        self._tell(f"SOUTH's node is dead (SIGKILL). NORTH says {told['id']}: 'The bridge at the mill is closed.'")
        south.start()
        south.wait()
        begun_s = monotonic_s()
        self._until("it has arrived", lambda: self._has(south, told["id"]))
        self._tell(f"SOUTH's node is started again, and has it after {monotonic_s() - begun_s:.1f} s:")
        text = south.ask.requests.get(f"/entries/{told['id']}")["body"]["text"]
        self._tell(f"  {told['id']}: '{text}'")

    # --- what they ask ---------------------------------------------------------------------------------------------

    def _chapter(self, title: str) -> None:
        self._tell("")
        self._tell(f"== {title}")

    def _until(self, what: str, look: Callable[[], Any]) -> Any:
        """Wait until something is so; what was found then."""
        until_s = monotonic_s() + _WAIT_S
        while monotonic_s() < until_s:
            found = look()
            if found:
                return found
            sleep(0.05)
        raise StoreError(f"the demonstration waited {_WAIT_S:.0f} s in vain until {what}")

    def _members(self, node: DemoNode) -> list[str]:
        return sorted(one.party for one in node.ask.members(_LINE).members)

    def _has(self, node: DemoNode, entry: str) -> bool:
        return any(one.id == entry and one.body_state == "held" for one in node.ask.entries(line=_LINE))

    def _advisory(self) -> Any:
        for node in self._nodes:
            found = list(node.ask.requests.items("/entries", line=_LINE, type="advisory"))
            if found:
                return found[0]
        return None

    def _seen(self, node: DemoNode, entry: str) -> str:
        standings = node.ask.requests.get(f"/entries/{entry}/thread")["standings"]
        return next((one["sentence"] for one in standings if one["seen"]), "")

    # --- what they plan --------------------------------------------------------------------------------------------

    def _patrol(self) -> dict[str, Any]:
        circle = {"shape": "circle", "lon_deg": 41.22, "lat_deg": 37.05, "radius_m": 3000.0}
        when = {"start_s": self._start_s, "end_s": self._start_s + 3 * _HOUR_S}
        volumes = [{"footprint": circle, **when}]
        return {"party": "NORTH", "id": "patrol-1", "kind": "patrol", "name": "Valley patrol", "volumes": volumes}

    def _convoy(self, later_s: float) -> dict[str, Any]:
        circle = {"shape": "circle", "lon_deg": 41.25, "lat_deg": 37.06, "radius_m": 1500.0}
        start_s = self._start_s + _HOUR_S + later_s
        volumes = [{"footprint": circle, "start_s": start_s, "end_s": start_s + _HOUR_S}]
        return {"party": "SOUTH", "id": "convoy-7", "kind": "convoy", "name": "Water convoy", "volumes": volumes}
