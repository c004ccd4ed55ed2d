"""Accounts with passwords, and the ways in that the tests of this folder share."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from somos.modules.auth.actions.users import ensure_account
from somos.policy.roles import Role
from tests.harness.mesh import Answer, Mesh, Person

PASSWORD = "uma senha comprida"


@dataclass
class Door:
    """Signing in and what follows, as a browser does it."""

    mesh: Mesh

    def account(self, email: str = "ana@somos.test", role: Role = Role.Comercial, company: UUID | None = None) -> UUID:
        with self.mesh.db() as db:
            return ensure_account(
                db, email=email, name="Ana", role=role, password=PASSWORD, cost=4, client_company_id=company
            ).id

    def login(self, email: str = "ana@somos.test", password: str = PASSWORD, **options: Any) -> Answer:
        return self.mesh.call("POST /api/v1/auth/login", {"email": email, "password": password}, **options)

    def refresh(self, token: str) -> Answer:
        return self.mesh.call("POST /api/v1/auth/refresh", {"refresh_token": token})

    def me(self, credential: str | Person) -> Answer:
        return self.mesh.call("GET /api/v1/auth/me", as_=credential)


@pytest.fixture
def door(mesh: Mesh) -> Door:
    return Door(mesh)
