"""Units: which functions share a container under a grain, and what that container needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from somos.mesh.declare import Function
from somos.mesh.derive.needs import Image, Needs, NeedsOf
from somos.mesh.derive.placement import EDITIONS, ImageCost, Placement, Scale, Target, Tier

HTTP_TIMEOUT_S = 30
GRACE_S = 5  # the watchdog outlives the function, so that the function's own answer is what is seen
STEP_MIB = 32  # memory is said in these steps, so that one more function does not move every figure
MOST_THREADS = 16
REST = "rest"
EVERYTHING = "somos"


@dataclass(frozen=True)
class Unit:
    """One container: an image, and what it hosts. Everything else follows from its functions."""

    name: str
    image: Image
    functions: tuple[Function, ...]
    hosts: tuple[str, ...]
    """What SOMOS_FUNCTIONS says: names of functions, and of modules that live here whole. Empty: everything."""
    secrets: tuple[str, ...]
    settings: tuple[str, ...]
    cost: ImageCost
    scale: Scale

    @property
    def environment(self) -> dict[str, str]:
        """How it is told what to host."""
        if not self.hosts:
            return {}
        one = len(self.functions) == 1
        return {"SOMOS_FUNCTION" if one else "SOMOS_FUNCTIONS": ",".join(self.hosts)}

    @property
    def timeout(self) -> int:
        """Seconds that the slowest of its handlers may take."""
        return max([consumer.timeout for one in self.functions for consumer in one.consumers], default=HTTP_TIMEOUT_S)

    @property
    def patience(self) -> int:
        """Seconds after which whoever stands in front gives up."""
        return max(self.timeout, HTTP_TIMEOUT_S) + GRACE_S

    @property
    def memory_mib(self) -> int:
        exact = self.cost.first_mib + self.cost.each_mib * (len(self.functions) - 1)
        return -(-exact // STEP_MIB) * STEP_MIB

    @property
    def threads(self) -> int:
        return min(self.cost.threads * len(self.functions), MOST_THREADS)

    @property
    def concurrency(self) -> int:
        """Requests it takes in at once: those that run, and those that wait for a thread."""
        return self.cost.concurrency * self.threads // self.cost.threads

    @property
    def tier(self) -> Tier:
        return tier_of(self.functions)

    @property
    def modules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(function.module for function in self.functions))

    @cached_property
    def topics(self) -> tuple[str, ...]:
        return tuple(sorted({topic.type for one in self.functions for topic in one.topics}))

    @cached_property
    def schedules(self) -> tuple[tuple[str, str], ...]:
        """Its timers: function and schedule."""
        return tuple((one.name, timer.schedule) for one in self.functions for timer in one.timers)


def units(functions: Iterable[Function], target: Target, placement: Placement, needs_of: NeedsOf) -> list[Unit]:
    """The containers of a target, by name."""
    functions = sorted(functions, key=lambda one: one.name)
    hosted: dict[str, list[Function]] = {}
    for function in functions:
        hosted.setdefault(_home(function, target, needs_of(function).image), []).append(function)
    return [_unit(name, hosted[name], functions, target, placement, needs_of) for name in sorted(hosted)]


def homes(units: Iterable[Unit]) -> dict[str, str]:
    """Function to unit."""
    return {function.name: unit.name for unit in units for function in unit.functions}


def warnings(name: str, target: Target, units: list[Unit]) -> list[str]:
    """What a person must know before deploying this target."""
    count, known = len(units), {function.name for unit in units for function in unit.functions}
    lines = [
        f"infra/placement.toml: {key} de {name!r} cita {one!r}, que functions/ não declara"
        for key in ("alone", "warm")
        for one in getattr(target, key)
        if one not in known
    ]
    if target.limit is None or count <= target.limit:
        return lines
    takes = [f"{name} ({most})" for name, most in EDITIONS.items() if count <= most]
    fits = f"cabe em: {', '.join(takes)}" if takes else "não cabe em nenhuma edição"
    return [*lines, f"{target.file}: {count} unidades, e {name!r} aceita {target.limit}; OpenFaaS: {fits}"]


def tier_of(functions: Iterable[Function]) -> Tier:
    """Who waits for it: the most impatient counts."""
    functions = list(functions)
    if any(one.endpoints for one in functions):
        return "interactive"
    return "webhook" if any(one.webhooks for one in functions) else "background"


def _home(function: Function, target: Target, image: Image) -> str:
    if target.grain == "function" or function.name in target.alone:
        return function.name
    if target.grain == "all":
        return EVERYTHING
    group = function.module
    if target.groups:
        group = next((name for name, modules in target.groups.items() if function.module in modules), REST)
    return f"{group}-ai" if image == "ai" else group


def _unit(
    name: str, hosted: list[Function], all_: list[Function], target: Target, placement: Placement, needs_of: NeedsOf
) -> Unit:
    needs = [needs_of(function) for function in hosted]
    image: Image = "ai" if any(one.image == "ai" for one in needs) else "core"
    scale = placement.tiers[tier_of(hosted)]
    if any(function.name in target.warm for function in hosted):
        scale = Scale(min=max(1, scale.min), max=scale.max)
    return Unit(
        name,
        image,
        tuple(hosted),
        () if len(hosted) == len(all_) > 1 else _hosted_names(hosted, all_),
        _merged(needs, "secrets"),
        _merged(needs, "settings"),
        placement.images[image],
        scale,
    )


def _hosted_names(hosted: list[Function], all_: list[Function]) -> tuple[str, ...]:
    """Names of functions; a module that lives here whole is named once."""
    here = {function.name for function in hosted}
    names: dict[str, None] = {}
    for function in hosted:
        siblings = [one.name for one in all_ if one.module == function.module]
        whole = len(siblings) > 1 and here.issuperset(siblings)
        names[function.module if whole else function.name] = None
    return tuple(names)


def _merged(needs: list[Needs], what: str) -> tuple[str, ...]:
    return tuple(sorted({name for one in needs for name in getattr(one, what)}))
