"""Nodes killed a thousand times behind a bad network, while people work at them (``make soak``).

In rounds, each with nodes of its own and another seed, after each of which everything must be as `tests.afterwards`
says. The first that is not so ends it, and its folder stays.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.afterwards import must_all_have, must_be_sound
from tests.bad_network import BadNetwork, Weather
from tests.killing import killed_at_random
from tests.line_of_nodes import joined
from tests.load import at_work
from tests.nodes import nodes_in

PARTIES = ("RU", "TR", "US", "SY", "IL")
FINE = Weather()
WEATHERS = (
    FINE, FINE, Weather(cut=True), Weather(deaf=True), Weather(delay_s=2.0), Weather(again=0.3, replay=0.3),
    Weather(delay_s=0.5, again=0.2, replay=0.2),
)  # fmt: skip
_CHANGES_S = 5.0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=1000)
    asked.add_argument("--kills-a-round", type=int, default=100)
    asked.add_argument("--nodes", type=int, default=5, choices=range(2, 6))
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    done, seed = 0, given.seed
    while done < given.kills:
        kills = min(given.kills_a_round, given.kills - done)
        # Two nodes in every other round, which are killed more often while they talk to each other.
        parties = PARTIES[: given.nodes if (seed - given.seed) % 2 == 0 else 2]
        begun_s = time.monotonic()
        said = soak(parties, kills=kills, seed=seed)
        done, seed = done + kills, seed + 1
        took_s = time.monotonic() - begun_s
        tell(f"{done} of {given.kills} kills; {len(parties)} nodes, {said} acknowledged, {took_s:.0f} s")


def soak(parties: Sequence[str], *, kills: int, seed: int) -> int:
    """One round; how much was acknowledged in it."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
    tell(f"seed {seed}, in {folder}")
    with ExitStack() as stack:
        made, networks = stack.enter_context(nodes_in(folder)), []

        def behind(port: int) -> str:
            networks.append(stack.enter_context(BadNetwork(port)))
            return networks[-1].url

        nodes = made.started(parties, address_of=behind)
        joined(nodes)
        with at_work(nodes) as desks, changing_weather(networks, random.Random(seed)):
            killed_at_random(nodes, desks, chance, kills=kills)
        must_all_have(nodes, desks, timeout_s=600.0)
        must_be_sound(nodes)
    shutil.rmtree(folder)
    return sum(len(desk.acknowledged) + len(desk.answered) for desk in desks)


def tell(line: str) -> None:
    """To whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def changing_weather(networks: Sequence[BadNetwork], chance: random.Random) -> Iterator[None]:
    """Another weather every few seconds before each node; fine at the end."""
    over = threading.Event()

    def change() -> None:
        while not over.wait(chance.uniform(0.0, _CHANGES_S)):
            chance.choice(networks).change(chance.choice(WEATHERS))

    thread = threading.Thread(target=change, name="weather", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for network in networks:
            network.change(FINE)


if __name__ == "__main__":
    main()
