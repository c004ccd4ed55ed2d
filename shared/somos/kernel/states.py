"""State machines: what is not listed is refused."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from somos.kernel.refusals import NotAllowed


class Machine:
    """The states of one kind of record: where each may go, and how people call it.

    `what` begins the sentence of a refusal ("Um lead"); `moves` lists the targets of each state, separated by spaces;
    `names` are the states in Portuguese, `code` is that of a refusal. The states stand here once: CHECK constraints and
    schemas read `states`.
    """

    def __init__(
        self, what: str, moves: Mapping[str, str], names: Mapping[str, str], code: str = "no-such-transition"
    ) -> None:
        self._what, self._code = what, code
        self.moves: Mapping[str, frozenset[str]] = MappingProxyType(
            {state: frozenset(targets.split()) for state, targets in moves.items()}
        )
        self.states = tuple(self.moves)
        self.names = MappingProxyType(dict(names))
        unknown = {target for targets in self.moves.values() for target in targets} - set(self.states)
        if unknown or set(self.names) != set(self.states):
            raise ValueError(f"{what}: states without moves or names: {sorted(unknown | (set(names) ^ set(moves)))}")

    def allows(self, state: str, to: str) -> bool:
        return to in self.moves[state]

    def move(self, state: str, to: str) -> str:
        """The new state. Raises NotAllowed when there is no such transition."""
        if not self.allows(state, to):
            raise NotAllowed(f"{self._what} {self.names[state]} não pode passar a {self.names[to]}.", code=self._code)
        return to

    def path(self, state: str, goal: str, avoiding: Collection[str] = ()) -> list[str]:
        """The states of the shortest way from one to another, the goal last; empty when there is none.

        A way may begin or end in a state of `avoiding`, never lead through one.
        """
        ways = [[state]]
        seen = {state}
        for way in ways:
            if way[-1] == goal:
                return way[1:]
            if way[-1] in avoiding and way[-1] != state:
                continue
            following = sorted(self.moves[way[-1]] - seen)
            seen.update(following)
            ways += [[*way, state] for state in following]
        return []
