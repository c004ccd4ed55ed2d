"""`infra/placement.md`: every target's units, what each may take and which secrets it sees."""

from collections.abc import Iterable, Mapping

from somos.mesh.derive.placement import Target
from somos.mesh.derive.units import Unit

HEADER = """\
# Unidades

Derivado das declarações em `functions/` e de `infra/placement.toml` por `somos derive`. Não edite.
Juntar funções numa unidade soma os seus segredos: o que uma unidade passa a ver aparece no diff deste arquivo.
"""
# Secrets that every unit has say nothing in a table.
EVERYWHERE = "todas as unidades"


def placement_table(targets: Mapping[str, tuple[Target, list[Unit]]]) -> str:
    """The text of the file."""
    parts = [HEADER]
    for name, (target, units) in targets.items():
        common = _common(units)
        limit = f", limite {target.limit}" if target.limit else ""
        parts += [
            f"## {name}: grão {target.grain}, {len(units)} unidades{limit}",
            "",
            f"`{target.file}`. Em {EVERYWHERE}: {_list(common)}.",
            "",
            "| unidade | imagem | hospeda | memória | tempo | juntos | réplicas | segredos além desses |",
            "|---|---|---|---|---|---|---|---|",
            *(_row(unit, common) for unit in units),
            "",
        ]
    return "\n".join(parts)


def _common(units: Iterable[Unit]) -> set[str]:
    sets = [set(unit.secrets) for unit in units]
    return set.intersection(*sets) if sets else set()


def _row(unit: Unit, common: set[str]) -> str:
    hosts = _list(unit.hosts) if len(unit.functions) > 1 else "ela mesma"
    cells = [
        f"`{unit.name}`",
        unit.image,
        hosts or "todas",
        f"{unit.memory_mib} MiB",
        f"{unit.patience} s",
        str(unit.concurrency),
        f"{unit.scale.min} a {unit.scale.max}",
        _list(sorted(set(unit.secrets) - common)) or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
