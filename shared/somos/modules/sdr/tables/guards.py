"""What PostgreSQL itself refuses, whoever asks: rows that may never change or go."""

from collections.abc import Iterable


def never_changed(table: str, app_role: str) -> Iterable[str]:
    """The application may add rows and read them, nothing else."""
    return (f"revoke update, delete on {table} from {app_role}",)


def frozen_when(table: str, condition: str, why: str) -> Iterable[str]:
    """Refuse UPDATE and DELETE of rows where `condition` holds over `old`."""
    function = f"{table}_frozen"
    return (
        f"create or replace function {function}() returns trigger language plpgsql as $$ begin "
        f"if {condition} then raise exception '{why}' using errcode = 'restrict_violation'; end if; "
        "if tg_op = 'DELETE' then return old; end if; return new; end $$",
        f"drop trigger if exists frozen on {table}",
        f"create trigger frozen before update or delete on {table} for each row execute function {function}()",
    )
