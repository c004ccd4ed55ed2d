"""The `somos` command: quick to ask for help, finds code, calls the gateway, revives dead deliveries."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from somos.cli import main
from somos.mesh.ids import uuid7
from somos.mesh.runtime import Runtime, use
from somos.settings import Settings
from tests.harness.mesh import Mesh


@pytest.fixture(autouse=True)
def _outside_any_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that happens to run in this folder is not what is tested."""
    monkeypatch.setenv("SOMOS_STACK", "1")


def somos(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, words, input=stdin)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, somos.cli\n"
        "try: somos.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('sqlalchemy', 'redis', 'pydantic', 'rich', 'langchain') if m in sys.modules])"
    )
    shared = Path(__file__).parents[2] / "shared"

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(shared)}, check=True
    ).stdout

    assert said.rstrip().endswith("[]")
    for command in ("up", "demo", "derive", "where", "call", "functions", "migrate", "worker", "relay", "dead"):
        assert f"\n  {command} " in said


def test_where_finds_the_line_of_a_route_and_says_so_when_there_is_none() -> None:
    assert somos("where", "POST /api/v1/auth/login").output.startswith("functions/auth/login.py:")
    missing = somos("where", "POST /nowhere")
    assert missing.exit_code == 1
    assert "nada se chama 'POST /nowhere'" in missing.output


def test_functions_lists_what_wakes_each(mesh: Mesh) -> None:
    said = somos("functions", "auth").output

    assert "auth-login" in said
    assert "POST /api/v1/auth/login" in said
    assert "crm-" not in said
    assert mesh.functions


def test_commands_name_the_settings_they_lack() -> None:
    use(Runtime(Settings()))

    result = somos("migrate")

    assert result.exit_code == 1
    assert "falta definir DATABASE_URL, DATABASE_OWNER_URL" in result.output


def test_only_functions_that_sign_people_in_get_the_private_key(mesh: Mesh) -> None:
    from somos.cli.needs import needs_of

    secrets = {name: needs_of(function).secrets for name, function in mesh.functions.items()}

    assert {name for name, names in secrets.items() if "jwt-private-key" in names} == {
        "auth-login",
        "auth-password",
        "auth-refresh",
    }
    assert all({"database-url", "redis-url", "jwt-public-key"} <= set(names) for names in secrets.values())


# --- call -----------------------------------------------------------------------------------------------


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = 404 if self.path == "/missing" else 200
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        asked = {"method": self.command, "path": self.path, "body": body.decode(), "headers": dict(self.headers)}
        self.wfile.write(json.dumps(asked).encode())

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def gateway() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    use(Runtime(Settings(gateway_url=url)))
    yield url
    server.shutdown()
    serving.join()
    server.server_close()


def test_call_sends_what_it_is_given(gateway: str) -> None:
    result = somos("call", "POST /api/v1/deals?x=1", "--token", "t", "--data", '{"a": 1}', "--header", 'If-Match: "3"')

    asked = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/api/v1/deals?x=1", '{"a": 1}')
    assert asked["headers"]["Authorization"] == "Bearer t"
    assert asked["headers"]["If-Match"] == '"3"'
    assert asked["headers"]["Content-Type"] == "application/json"


def test_call_guesses_the_method_and_reads_the_body_from_files(gateway: str, tmp_path: Path) -> None:
    (tmp_path / "deal.json").write_text('{"from": "a file"}')

    assert json.loads(somos("call", "/health").stdout)["method"] == "GET"
    assert json.loads(somos("call", "/x", "--data", f"@{tmp_path}/deal.json").stdout)["body"] == '{"from": "a file"}'
    assert json.loads(somos("call", "/x", "--data", "-", stdin="typed").stdout)["body"] == "typed"


def test_call_fails_when_the_answer_is_a_refusal(gateway: str) -> None:
    result = somos("call", "GET /missing")

    assert result.exit_code == 1
    assert result.stderr.startswith("404")


def test_call_says_when_nobody_answers() -> None:
    use(Runtime(Settings(gateway_url="http://127.0.0.1:1")))

    result = somos("call", "/health")

    assert result.exit_code == 1
    assert "não respondeu" in result.output


# --- dead -----------------------------------------------------------------------------------------------


def bury(mesh: Mesh) -> UUID:
    """A delivery that failed for good."""
    event, delivery = uuid7(), uuid7()
    at = mesh.time - timedelta(hours=1)
    with mesh.db() as db:
        from somos.mesh.records import Delivery, Outbox

        db.add(
            Outbox(
                id=event,
                type="crm.deal_won",
                data={"deal_id": "d-1"},
                due_at=at,
                occurred_at=at,
                correlation=event,
                emitted_by="test",
                fanned_at=at,
            )
        )
        db.flush()
        db.add(
            Delivery(
                id=delivery,
                event_id=event,
                type="crm.deal_won",
                function="crm-on-sales-facts",
                queue="default",
                state="dead",
                due_at=at,
                timeout=30,
                attempts=8,
                max_attempts=8,
                last_error="HTTP 500: o motivo",
                dead_at=at,
            )
        )
    return delivery


def test_dead_deliveries_are_listed_and_shown_with_their_cause(mesh: Mesh) -> None:
    delivery = bury(mesh)

    listed = somos("dead", "list").output
    shown = somos("dead", "show", str(delivery)).output

    assert "crm-on-sales-facts" in listed
    assert "o motivo" in listed
    assert "HTTP 500: o motivo" in shown
    assert "d-1" in shown


def test_a_dead_delivery_is_tried_again_from_its_first_attempt(mesh: Mesh) -> None:
    delivery = bury(mesh)

    result = somos("dead", "replay", str(delivery))

    assert result.output == "1 de 1 voltaram para a fila\n"
    row = mesh.rows("select state, attempts from mesh.deliveries where id = :id", id=delivery)[0]
    assert dict(row) == {"state": "due", "attempts": 0}
    assert somos("dead", "replay", str(delivery)).exit_code == 1


def test_no_dead_deliveries_is_said_plainly(mesh: Mesh) -> None:
    assert mesh.functions
    assert somos("dead", "list").output == "nenhuma entrega morta\n"
    assert somos("dead", "show", str(uuid7())).exit_code == 1


# --- parked ---------------------------------------------------------------------------------------------


def park(mesh: Mesh) -> UUID:
    """A call whose outcome nobody knows, as a restored backup leaves it."""
    delivery = uuid7()
    with mesh.db() as db:
        from somos.mesh.records import Effect

        db.add(
            Effect(
                delivery_id=delivery,
                name="send",
                operation="Gate.send_email",
                state="parked",
                arguments={"to": "ana@exemplo.test"},
                lease_until=mesh.time,
                started_at=mesh.time,
            )
        )
    return delivery


def test_a_parked_call_is_listed_and_settled_without_what_it_said(mesh: Mesh) -> None:
    delivery = park(mesh)
    assert str(delivery) in somos("parked", "list").output
    assert somos("parked", "settle", str(delivery), "send").output == "resolvida\n"
    [row] = mesh.rows("select state, arguments from mesh.effects where delivery_id = :id", id=delivery)
    assert dict(row) == {"state": "settled", "arguments": {}}
    assert somos("parked", "settle", str(delivery), "send").exit_code == 1


def test_no_parked_calls_is_said_plainly(mesh: Mesh) -> None:
    assert mesh.functions
    assert somos("parked", "list").output == "nenhuma chamada estacionada\n"
