"""Bundles: what a line would carry, in a file on a memory stick, both ways."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from keepclear.api.asking import TheNode
from keepclear.api.authentication import Needs
from keepclear.api.parameters import LineInPath, lines_asked
from keepclear.errors import Fault, InputError, IntegrityError, PeerError
from keepclear.node.actors import Actor
from keepclear.node.carrying import Carried
from keepclear.node.roles import Scope
from keepclear.record.names import NAME_PATTERN
from keepclear.values.base import moment_or_none
from keepclear.values.lines import CarriedTold

__all__ = ["router"]

router = APIRouter(tags=["lines"])
_Keeper = Annotated[Actor, Needs(Scope.LINES)]
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get("/lines/{line}/bundles/{party}", response_class=FileResponse, responses={200: {"content": _FILE}})
def write_bundle(
    node: TheNode,
    actor: _Keeper,
    line: LineInPath,
    party: Annotated[str, Path(pattern=NAME_PATTERN, max_length=63, description="For whom it is.", examples=["TR"])],
) -> FileResponse:
    """Write a bundle for a party: what its node lacks, as far as this one knows."""
    lines_asked(node, line)
    path = _new_file()
    try:
        node.exchange.carrying.write(line, party, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    node.acts.note(actor, "line carry", ref=line, detail={"to": party})
    name = f"{node.party}-{line}-for-{party}.bundle"
    task = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type="application/octet-stream", filename=name, background=task)


@router.post("/lines/{line}/bundles", openapi_extra={"requestBody": {"required": True, "content": _FILE}})
async def read_bundle(request: Request, node: TheNode, actor: _Keeper, line: LineInPath) -> CarriedTold:
    """Take in a bundle: as much of it as there is, and is new. Twice is fine."""
    await run_in_threadpool(lines_asked, node, line)
    path = await run_in_threadpool(_new_file)
    try:
        with path.open("wb") as file:
            async for piece in request.stream():
                await run_in_threadpool(file.write, piece)
        return await run_in_threadpool(_read, node, line, path, actor)
    finally:
        path.unlink(missing_ok=True)


def _read(node: TheNode, line: str, path: FilePath, actor: Actor) -> CarriedTold:
    try:
        carried: Carried = node.exchange.carrying.read(path)
    except (PeerError, IntegrityError) as error:
        raise InputError(Fault(str(error), "a bundle of another party on this line", field="body")) from None
    node.acts.note(actor, "line carry", ref=line, detail={"from": carried.party})
    return CarriedTold(
        line=carried.line,
        party=carried.party,
        made_at=moment_or_none(carried.made_s),
        entries=dict(carried.entries),
        receipts=dict(carried.receipts),
        troubles=list(carried.troubles),
    )


def _new_file() -> FilePath:
    handle, name = tempfile.mkstemp(prefix="keepclear-", suffix=".bundle")
    os.close(handle)
    return FilePath(name)
