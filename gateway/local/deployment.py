"""What faas-cli sends, in the types that faas-cli reads back: what Go could not decode would break its `list`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Words = dict[str, str]
MOST_REPLICAS = 1_000


class Resources(BaseModel):
    """Of `limits` and `requests`."""

    memory: str = ""
    cpu: str = ""


class Deployment(BaseModel):
    """`PUT` and `POST /system/functions`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    service: Annotated[str, Field(pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    image: str = ""
    envProcess: str = ""
    envVars: Words | None = None
    constraints: list[str] | None = None
    secrets: list[str] | None = None
    labels: Words | None = None
    annotations: Words | None = None
    limits: Resources | None = None
    requests: Resources | None = None
    readOnlyRootFilesystem: bool = False


class Scaling(BaseModel):
    """`POST /system/scale-function/NAME`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    replicas: Annotated[int, Field(ge=0, le=MOST_REPLICAS)]
