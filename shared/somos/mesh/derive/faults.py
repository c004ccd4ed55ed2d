"""What is wrong with the declarations as a whole: every fault says where it is and what to do."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from croniter import croniter

from somos.mesh.declare import Endpoint, Function
from somos.mesh.derive.emitted import emitted_by
from somos.mesh.derive.places import file_of, handlers_of, place_of
from somos.mesh.events import Event
from somos.policy.grants import UnknownPermission, check_permission

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123: a label in DNS, what the platforms take


@dataclass(frozen=True, order=True)
class Fault:
    where: str
    what: str
    do: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.do}."


@dataclass(frozen=True)
class Route:
    """A declared method and path, wherever it comes from."""

    method: str
    path: str
    where: str

    @cached_property
    def segments(self) -> list[str]:
        return self.path.strip("/").split("/")


def faults(functions: Iterable[Function], events: Iterable[type[Event]]) -> list[Fault]:
    """Everything that `somos derive` refuses."""
    functions = list(functions)
    return sorted(
        {
            *_names(functions),
            *_permissions(functions),
            *_routes(functions),
            *_schedules(functions),
            *_emits(functions),
            *_chains(functions, list(events)),
        }
    )


def _names(functions: list[Function]) -> Iterator[Fault]:
    for function in functions:
        if not NAME.fullmatch(function.name):
            yield Fault(
                file_of(function),
                f"o nome da função, {function.name!r}, não serve para OpenFaaS nem Knative",
                "Renomeie o arquivo: minúsculas, dígitos e _; módulo e arquivo juntos até 63 letras",
            )


def _permissions(functions: list[Function]) -> Iterator[Fault]:
    for endpoint in _endpoints(functions):
        try:
            check_permission(endpoint.allow)
        except UnknownPermission:
            yield Fault(
                place_of(endpoint.handler),
                f"{endpoint.method} {endpoint.path} pede a permissão {endpoint.allow!r}, que a matriz não tem",
                "Use '<módulo>:read', '<módulo>:write', 'signed-in', 'anyone' ou uma ação de "
                "shared/somos/policy/actions.py; um módulo novo entra em shared/somos/policy/matrix.py",
            )


def _routes(functions: list[Function]) -> Iterator[Fault]:
    routes = [Route(e.method, e.path, place_of(e.handler)) for e in _endpoints(functions)]
    routes += [
        Route("POST", path, place_of(webhook.consumer.handler))
        for function in functions
        for webhook in function.webhooks
        for path in webhook.paths
    ]
    alike: dict[tuple[str, int], list[Route]] = defaultdict(list)
    for route in sorted(routes, key=lambda r: (r.method, r.path, r.where)):
        alike[route.method, len(route.segments)].append(route)
    for one, other in (pair for group in alike.values() for pair in _overlapping(group)):
        same = _shape(one) == _shape(other)
        if same:
            yield Fault(
                other.where,
                f"{other.method} {other.path} já é declarada em {one.where}",
                "Mude o caminho de uma das duas ou junte-as numa função só",
            )
        elif _literals(one) == _literals(other):
            yield Fault(
                other.where,
                f"{other.method} {other.path} e {one.path} ({one.where}) atendem aos mesmos endereços e nenhuma "
                "é mais específica",
                "Troque um dos parâmetros por um trecho fixo, para que só uma sirva",
            )


def _schedules(functions: list[Function]) -> Iterator[Fault]:
    for function in functions:
        for timer in function.timers:
            if len(timer.schedule.split()) != 5 or not croniter.is_valid(timer.schedule):
                yield Fault(
                    place_of(timer.consumer.handler),
                    f"{timer.schedule!r} não é um horário de cron",
                    "Use cinco campos: minuto hora dia mês dia-da-semana, por exemplo '*/5 * * * *'",
                )


def _emits(functions: list[Function]) -> Iterator[Fault]:
    """What the handlers state must be read from their source, for nobody declares it."""
    for handler in (one for function in functions for one in handlers_of(function)):
        for place in emitted_by(handler.handler).unknown:
            yield Fault(
                place,
                f"não dá para saber que evento {handler.handler.__name__} emite aqui",
                "Escreva a classe na chamada: ctx.emit(DealOpened(...))",
            )


def _chains(functions: list[Function], events: list[type[Event]]) -> Iterator[Fault]:
    """Every event has somebody who states it and somebody who acts on it."""
    emitters: dict[str, list[str]] = defaultdict(list)
    for handler in (one for function in functions for one in handlers_of(function)):
        for event in emitted_by(handler.handler).events:
            emitters[event.type].append(place_of(handler.handler))
    consumers: dict[str, list[str]] = defaultdict(list)
    for consumer in (topic for function in functions for topic in function.topics):
        consumers[consumer.type].append(place_of(consumer.handler))
    known = {event.type: event for event in events}
    for type_, event in known.items():
        if not emitters[type_] and not consumers[type_]:
            yield Fault(
                place_of(event),
                f"ninguém emite nem consome {event.__name__} ({type_})",
                "Apague o evento, ou escreva quem o emite (ctx.emit) e quem o consome (@topic)",
            )
        elif not consumers[type_]:
            yield Fault(
                emitters[type_][0],
                f"{event.__name__} ({type_}) é emitido mas ninguém o consome",
                f"Escreva um @topic({event.__name__}) em functions/, ou deixe de emiti-lo",
            )
        elif not emitters[type_]:
            yield Fault(
                consumers[type_][0],
                f"espera {event.__name__} ({type_}), que ninguém emite",
                f"Emita {event.__name__} em quem o causa, ou apague este consumidor",
            )
    for type_ in (emitters.keys() | consumers.keys()) - known.keys():
        where = [*emitters[type_], *consumers[type_]]
        if where:
            yield Fault(
                where[0],
                f"o evento {type_} não é declarado em shared/somos/events",
                "Declare a classe no arquivo do módulo que o afirma, em shared/somos/events/<módulo>.py",
            )


def _endpoints(functions: list[Function]) -> list[Endpoint]:
    return [endpoint for function in functions for endpoint in function.endpoints]


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _shape(route: Route) -> list[str]:
    return ["{}" if _is_parameter(segment) else segment for segment in route.segments]


def _literals(route: Route) -> int:
    return sum(not _is_parameter(segment) for segment in route.segments)


def _overlapping(routes: list[Route], at: int = 0) -> Iterator[tuple[Route, Route]]:
    """Pairs of routes of as many segments that both answer some address; a pair may come twice."""
    if len(routes) > 1 and at == len(routes[0].segments):
        yield from combinations(routes, 2)
    elif len(routes) > 1:
        words = {route.segments[at] for route in routes if not _is_parameter(route.segments[at])}
        for word in words or {"{}"}:
            both = [one for one in routes if one.segments[at] == word or _is_parameter(one.segments[at])]
            yield from _overlapping(both, at + 1)
