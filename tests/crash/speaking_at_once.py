"""What the killed node does: many threads that say things in one log."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection
from pathlib import Path

from keepclear.node.bell import Bell
from keepclear.node.folder import NodeFolder
from keepclear.node.own_log import Outgoing
from keepclear.node.records import Records
from keepclear.record.bodies.talk import MessageBody, Priority

LINE = "north"
SPEAKERS = 6


def speak_for_ever(path: Path, seed: int, acknowledged: Connection) -> None:
    """Say things from several threads, and tell each with its place once `Records.say` has returned."""
    folder = NodeFolder(path)
    records = Records(folder, folder.open_records(), Bell(), lambda: 1.8e9)
    telling = threading.Lock()

    def speak(name: int) -> None:
        number = 0
        while True:
            texts = [f"{seed} {name} {number} {part}" for part in range(1 + number % 3)]
            bodies = [Outgoing(MessageBody(text=text, priority=Priority.ROUTINE), ("TR",)) for text in texts]
            refs = records.say(LINE, bodies)
            with telling:
                acknowledged.send([(ref.index, text) for ref, text in zip(refs, texts, strict=True)])
            number += 1

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(SPEAKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
