"""What stands before every endpoint: who is not to come in goes no further, and is told nothing else.

It goes by the API's own description, so that this cannot say one thing and the node do another: which scopes an
endpoint needs, and which parameters it has. Describing all of them takes a second, for which no start of a node waits:
each is described when it is first asked for. A parameter that is unknown is refused, as is one given twice that is no
list: a filter that is misspelt would otherwise filter nothing, in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from keepclear.api.authentication import actor_of
from keepclear.errors import Fault, InputError
from keepclear.node.roles import Scope

__all__ = ["Entrance", "Entrances", "admitted"]


@dataclass(frozen=True, slots=True)
class Entrance:
    """What an endpoint takes.

    Attributes
    ----------
    scopes
        What one must have to come in; None where strangers may.
    parameters
        The names of its parameters, and whether each may be given several times.
    """

    scopes: tuple[Scope, ...] | None
    parameters: Mapping[str, bool]


class Entrances:
    """What the endpoints of an application take."""

    def __init__(self) -> None:
        self._known: dict[str, Entrance | None] = {}

    def of(self, name: str, route: BaseRoute) -> Entrance | None:
        """What an endpoint takes; None of one that is not described, and has rules of its own."""
        if name not in self._known:
            self._known[name] = _entrance(route)
        return self._known[name]


async def admitted(request: Request) -> None:
    """Dependency of every endpoint, before all others.

    Raises
    ------
    NotSignedInError, NotAllowedError
        If it is not for who is asking.
    InputError
        With all parameters that cannot be.
    """
    entrance = request.app.state.entrances.of(request.scope["endpoint"].__name__, request.scope["route"])
    if entrance is None:
        return
    if entrance.scopes is not None:
        actor = actor_of(request)
        for scope in entrance.scopes:
            actor.must(scope)
    faults = list(_faults(request.query_params.multi_items(), entrance.parameters))
    if faults:
        raise InputError(faults)


def _faults(given: list[tuple[str, str]], known: Mapping[str, bool]) -> Iterator[Fault]:
    right = f"one of {', '.join(sorted(known))}" if known else "no parameters"
    seen = set()
    for name, value in given:
        if name not in known:
            yield Fault("there is no such parameter", right, field=name, value=value)
        elif name in seen and not known[name]:
            yield Fault("the parameter is given twice", "once", field=name, value=value)
        seen.add(name)


def _entrance(route: BaseRoute) -> Entrance | None:
    described = get_openapi(title="one endpoint", version="0", routes=[route])["paths"]
    for path in described.values():
        for operation in path.values():
            security = operation.get("security")
            scopes = None if security is None else tuple(Scope(one) for one in next(iter(security[0].values())))
            return Entrance(scopes, dict(_parameters(operation)))
    return None


def _parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            schema = parameter["schema"]
            either = [schema, *schema.get("anyOf", ())]
            yield parameter["name"], any(one.get("type") == "array" for one in either)
