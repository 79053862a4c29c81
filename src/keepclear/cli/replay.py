"""``keepclear replay``: a scenario played by real nodes on this machine, told as it happens, and checked."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keepclear.cli.screen import note, plain_json
from keepclear.cli.story_folder import story_folder, tell
from keepclear.errors import Fault, InputError

if TYPE_CHECKING:
    from keepclear.node.running import Node
    from keepclear.replay.player import Played, Player
    from keepclear.replay.scenarios import Scenario

__all__ = ["command", "serve_at"]

_NOT_AS_EXPECTED = 1
_TICK_S = 0.2


def command(
    scenario: Annotated[
        Path | None, typer.Argument(metavar="[SCENARIO]", help="The folder of a scenario, as in examples/scenarios.")
    ] = None,
    variant: Annotated[str, typer.Option("--variant", metavar="NAME", help="Which way it may have gone.")] = "main",
    speed: Annotated[
        float | None, typer.Option("--speed", metavar="N", min=0.001, help="N times as fast as it was; else at once.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the nodes up at the end, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON, when it is over.")] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep the nodes' folders here, to look into.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the scenarios and their variants, and play none.")
    ] = False,
) -> int:
    """Play a scenario again, with real nodes on simulated time: who said and did what when, and what each was shown.

    Everything goes between the nodes as it would between parties, and everything that the scenario expects is compared
    with what is there. Exit status: 0 if all was as expected, 1 if not.
    """
    from keepclear.replay.scenarios import read_scenario

    if list_:
        return _listed(scenario or Path("examples/scenarios"), as_json=as_json)
    if scenario is None:
        raise InputError(Fault("which scenario is not said", "a folder, or --list", field="SCENARIO"))
    found = read_scenario(scenario)
    found.of(variant)  # whether there is such a one, before anything is begun
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    told = (lambda _: None) if as_json else tell
    with story_folder(keep, name="replay") as folder:
        try:
            return _played(found, variant, folder, speed=speed, serve=serve, as_json=as_json, tell=told)
        except KeyboardInterrupt:
            note("Stopped.")
            return 130


def serve_at(node: Node, listening: socket.socket) -> Any:
    """The server of a node, at a socket that listens on loopback."""
    from keepclear.cli.node_server import Listening, NodeServer

    return NodeServer(node, Listening([listening], "127.0.0.1", None))


def _played(
    scenario: Scenario, variant: str, folder: Path, *, speed: float | None, serve: bool, as_json: bool, tell: Any
) -> int:
    import logging

    from keepclear.cli.progress import compile_once
    from keepclear.replay.player import Player

    logging.getLogger("keepclear").setLevel(logging.ERROR)
    compile_once(shown=not as_json)
    tell(f"{scenario.title} ({variant}: {scenario.variants[variant].title})")
    tell("")
    pause = (lambda _: None) if speed is None else (lambda seconds: sleep(seconds / speed))
    player = Player(scenario, variant, folder, serve=serve_at, tell=tell, pause=pause)
    with player.stage:
        played = player.play()
        if as_json:
            sys.stdout.write(plain_json(json.dumps(_json(played), ensure_ascii=False, indent=1, default=str)) + "\n")
        for sentence in _told(played):
            tell(sentence)
        if serve:
            _stay(player, speed or 1.0)
    return _NOT_AS_EXPECTED if played.failures else 0


def _told(played: Played) -> Iterator[str]:
    yield ""
    if not played.failures:
        yield f"All {played.expectations} expectations were met."
        return
    yield f"{len(played.failures)} of the expectations were not met:"
    for failure in played.failures:
        yield f"  {failure}"


def _json(played: Played) -> dict[str, Any]:
    from keepclear.times import to_text

    steps = [
        {
            "line": one.line, "at": to_text(one.at_s), "who": one.who, "verb": one.verb,
            "sentences": list(one.sentences), "result": one.result, "failures": list(one.failures),
        }
        for one in played.steps
    ]  # fmt: skip
    return {
        "scenario": played.scenario, "variant": played.variant, "expectations": played.expectations,
        "failures": [str(one) for one in played.failures], "steps": steps,
    }  # fmt: skip


def _stay(player: Player, speed: float) -> None:
    """Leave the nodes up, with the clock going on, until Ctrl-C."""
    for stand in player.stage.stands.values():
        tell(f"The node of {stand.party} is at {stand.url}; token of its folder: {stand.node.folder.local_token()}")
    tell("Ctrl-C ends them.")
    try:
        while True:
            sleep(_TICK_S)
            player.stage.step_to(player.stage.now_s + _TICK_S * speed)
    except KeyboardInterrupt:
        note("Stopped.")


def _listed(folder: Path, *, as_json: bool) -> int:
    from keepclear.replay.scenarios import FILE, read_scenario

    found = [read_scenario(one.parent) for one in sorted(folder.glob(f"*/{FILE}"))]
    if not found:
        raise InputError(Fault("there are no scenarios in it", "examples/scenarios", value=str(folder)))
    if as_json:
        told = [
            {"scenario": one.name, "title": one.title, "variants": {n: v.title for n, v in one.variants.items()}}
            for one in found
        ]
        sys.stdout.write(plain_json(json.dumps(told, ensure_ascii=False, indent=1)) + "\n")
        return 0
    for one in found:
        tell(f"{one.name}: {one.title}")
        for name, variant in one.variants.items():
            tell(f"   {name:24} {variant.title}")
    return 0
