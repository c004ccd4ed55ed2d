"""Long work: how far it is, and what came of it."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Conflict, Context, Filter, Page, View, http
from somos.mesh.records import Task


class TaskFilter(Filter):
    """Tasks by state and kind, newest first."""

    table: ClassVar[Any] = Task
    sort: Literal["-id", "id"] = "-id"
    state: Literal["running", "succeeded", "failed", "cancelled"] | None = None
    kind: str | None = Field(None, max_length=60)


class TaskView(View):
    """Progress of one task; the counters depend on its kind."""

    id: UUID
    kind: str
    subject_id: UUID | None
    state: Literal["running", "succeeded", "failed", "cancelled"]
    progress: dict[str, Any]
    error: str | None
    created_at: datetime
    updated_at: datetime


class TaskResult(View):
    """What a finished task gave."""

    id: UUID
    state: Literal["succeeded", "failed", "cancelled"]
    result: dict[str, Any] | None
    error: str | None


@http.get("/api/v1/agents/tasks", allow="agents:read")
def tasks_list(filter: TaskFilter, ctx: Context) -> Page[TaskView]:
    return ctx.page(ctx.visible(Task).where(*filter.clauses()), TaskView)


@http.get("/api/v1/agents/tasks/{id}", allow="agents:read")
def tasks_get(id: UUID, ctx: Context) -> TaskView:
    return TaskView.model_validate(ctx.get(Task, id))


@http.get("/api/v1/agents/tasks/{id}/result", allow="agents:read")
def tasks_result(id: UUID, ctx: Context) -> TaskResult:
    task = ctx.get(Task, id)
    if task.state == "running":
        raise Conflict("A tarefa ainda está em andamento", code="task-running", fresh=TaskView.model_validate(task))
    return TaskResult.model_validate(task)
