"""The story that the local stack tells: from an ideal customer to an open deal, through the public API only.

Every step looks before it acts, so a story that was interrupted is taken up where it stopped.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
from rich.console import Console
from urllib3.util import Retry
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from somos.local.people import CLIENT_COMPANY, sign_in
from somos.mesh.ids import uuid7

PATIENCE_S = 180.0
# A part that is restarted in the middle of the story costs it seconds, not its end.
AWAY = (502, 503, 504)
LOOK_AGAIN_S = 0.3
PATIENT = Retry(total=60, allowed_methods=None, backoff_factor=0.05, backoff_max=1)
ICP_NAME = "Agências de publicidade em São Paulo, 50+ funcionários"
CRITERIA = {
    "description": "Agências que filmam para marcas e precisam de uma produtora parceira.",
    "segments": ["agência de publicidade"],
    "cnaes": ["7311"],
    "cities": ["São Paulo"],
    "ufs": ["SP"],
    "employees_min": 50,
    "roles": ["diretor", "atendimento", "marketing"],
}
SENDERS = (
    {"channel": "whatsapp", "name": "WhatsApp comercial", "person_name": "Helena, da Somos", "address": "somos"},
    {
        "channel": "email",
        "name": "E-mail comercial",
        "person_name": "Helena, da Somos",
        "address": "Helena Prado <helena@somosprodutora.com.br>",
    },
)
# The story runs at any hour of any day; real senders keep the window of the house.
ALWAYS = {"opens": "00:00", "closes": "24:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "skip_holidays": False}
SHEET = (
    "Empresa;CNPJ;Site;Telefone;E-mail;Cidade;UF\n"
    "Agência Horizonte;98.000.101/0001-67;;;;São Paulo;SP\n"
    "Estúdio Novo;;estudio-novo-exemplo.com.br;(11) 3555-0199;;São Paulo;SP\n"
    "CNPJ Trocado;11.111.111/1111-11;;;;Campinas;SP\n"
)


ALL_WRITTEN_TO = "Ninguém novo a abordar: nenhum lead qualificado está sem campanha, e a ninguém se escreve duas vezes."


class Lost(Exception):
    """The story cannot go on; the text says at which step and why."""


@dataclass
class Voice:
    """Somebody signed in, speaking to the gateway."""

    gateway: str
    who: str
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.token = sign_in(self.gateway, self.who, again=PATIENT)
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def ask(self, what: str, body: Any = None, *, raw: bytes | None = None, **query: Any) -> Any:
        """The JSON of a success. Raises Lost with the problem's sentence otherwise."""
        status, content = self.try_(what, body, raw=raw, **query)
        if status >= 300:
            raise Lost(f"{what} respondeu {status}: {content.get('detail')} {content.get('errors', '')}")
        return content

    def try_(self, what: str, body: Any = None, *, raw: bytes | None = None, **query: Any) -> tuple[int, Any]:
        method, _, path = what.partition(" ")
        headers = {"Idempotency-Key": str(uuid7())} if method == "POST" else {}
        if raw is not None:
            headers["Content-Type"] = "text/csv"
        sent: dict[str, Any] = {"json": body} if raw is None else {"data": raw}
        until = time.monotonic() + PATIENCE_S
        while True:
            # Asked again under the same key, an answer that got lost is given again, and nothing is done twice.
            try:
                answer = self.http.request(
                    method, self.gateway + path, params=query, timeout=30, headers=headers, **sent
                )
                if answer.status_code not in AWAY or time.monotonic() > until:
                    return answer.status_code, answer.json() if answer.content else {}
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                if time.monotonic() > until:
                    raise
            time.sleep(LOOK_AGAIN_S)

    def all(self, path: str, **query: Any) -> list[Any]:
        """Every item of a list, page after page."""
        items: list[Any] = []
        page = self.ask(f"GET {path}", limit=200, **query)
        while True:
            items += page["items"]
            if page["next"] is None:
                return items
            page = self.ask(f"GET {path}", limit=200, cursor=page["next"], **query)


@dataclass(frozen=True)
class Before:
    """What there was before this telling, by id: the story may be told on a used folder."""

    leads: frozenset[str] = frozenset()
    responses: frozenset[str] = frozenset()
    deals: frozenset[str] = frozenset()
    sent: dict[str, int] = field(default_factory=dict)
    """Messages that had left, by campaign."""

    @classmethod
    def of(cls, voice: Voice) -> "Before":
        def ids(path: str) -> frozenset[str]:
            return frozenset(str(one["id"]) for one in voice.all(path))

        campaigns = ids("/api/v1/outreach-campaigns")
        sent = {id: voice.ask(f"GET /api/v1/outreach-campaigns/{id}")["report"]["sent"] for id in campaigns}
        return cls(ids("/api/v1/leads"), ids("/api/v1/responses"), ids("/api/v1/deals"), sent)


def tell(gateway: str | None = None) -> int:
    """Tell it on the terminal; 0 when a deal is open at the end."""
    console = Console(highlight=False)
    story = Story((gateway or os.environ["GATEWAY_URL"]).rstrip("/"), console)
    try:
        story.tell()
    except (Lost, requests.RequestException) as error:
        console.print(f"\n[bold red]A história parou:[/] {error}")
        return 1
    return 0


class Story:
    """Six chapters, in the order in which they happen."""

    def __init__(self, gateway: str, console: Console) -> None:
        self._gateway = gateway
        self._console = console
        self._live = threading.Event()
        self._before = Before()

    def tell(self) -> None:
        self._title("1. A direção entra e descreve o cliente ideal")
        helena = Voice(self._gateway, "diretor")
        self._say(f"Helena Prado ({helena.ask('GET /api/v1/auth/me')['role']}) entrou.")
        self._before = Before.of(helena)
        if self._before.leads:
            self._say("Esta pasta já tem dados: a história diz o que é novo e o que já estava.")
        with self._listening(helena):
            icp = self._profile(helena)
            self._title("2. A busca encontra, enriquece e pontua empresas")
            self._search(helena, icp)
            self._sheet(helena, icp)
            self._title("3. Mensagens são escritas e esperam por uma pessoa")
            self._senders(helena)
            campaigns = self._campaigns(helena)
            self._title("4. Uma pessoa lê e aprova; só então as mensagens saem")
            self._approve(helena, campaigns)
            self._title("5. As pessoas respondem")
            deals = self._answers(helena)
        self._title("6. O negócio anda no quadro, e cada um vê o que é seu")
        self._board(helena, deals)

    # -- chapters

    def _profile(self, helena: Voice) -> str:
        known = [icp for icp in helena.all("/api/v1/icp-profiles") if icp["name"] == ICP_NAME]
        icp = known[0] if known else helena.ask("POST /api/v1/icp-profiles", {"name": ICP_NAME, "criteria": CRITERIA})
        self._say(f"Perfil salvo: “{ICP_NAME}”.")
        return str(icp["id"])

    def _search(self, helena: Voice, icp: str) -> None:
        status, accepted = helena.try_("POST /api/v1/hunter/search", {"icp_id": icp, "limit": 40})
        if status != 202:
            raise Lost(f"a busca não foi aceita: {accepted.get('detail')}")
        self._say(f"POST /api/v1/hunter/search respondeu {status}: tarefa {accepted['task_id']}.")
        self._task(helena, accepted["task_id"])
        leads = helena.all("/api/v1/leads", icp_id=icp, sort="-score")
        qualified = [lead for lead in leads if (lead["score"] or 0) >= 70]
        fresh = sum(lead["id"] not in self._before.leads for lead in leads)
        summary = f"{len(leads)} empresas guardadas" + (f", {fresh} novas" if self._before.leads else "")
        self._say(f"{summary}, {len(qualified)} com 70 pontos ou mais. As três primeiras:")
        for lead in qualified[:3]:
            self._say(f"  {lead['score']:>3}  [bold]{lead['company_name']}[/] — {lead['reason']}")
        if not qualified:
            raise Lost("nenhum lead chegou a 70 pontos")

    def _sheet(self, helena: Voice, icp: str) -> None:
        report = helena.ask("POST /api/v1/leads/import", raw=SHEET.encode("latin-1"), icp_id=icp)
        self._task(helena, report["task_id"])
        refused = "; ".join(f"linha {row['line']}: {row['reason']}" for row in report["rejected"])
        self._say(
            f"Uma planilha também serve de entrada: {_many(report['accepted'])} aceita(s), "
            f"{_many(report['duplicates'])} já conhecida(s); {refused or 'nenhuma linha recusada'}."
        )

    def _senders(self, helena: Voice) -> None:
        known = {sender["address"] for sender in helena.all("/api/v1/senders")}
        for sender in SENDERS:
            if sender["address"] not in known:
                helena.ask("POST /api/v1/senders", {**sender, **ALWAYS})
        self._say("Remetentes de demonstração prontos, com janela de envio aberta a qualquer hora.")

    def _campaigns(self, helena: Voice) -> list[str]:
        ready = [lead["id"] for lead in helena.all("/api/v1/leads", state="qualified")]
        half = max(1, len(ready) * 2 // 3)
        started = []
        for channel, chosen in (("whatsapp", ready[:half]), ("email", ready[half:])):
            if chosen:
                body = {"lead_ids": chosen, "channel": channel, "name": f"Apresentação por {channel}"}
                task = helena.ask("POST /api/v1/sdr/campaign", body)["task_id"]
                self._task(helena, task)
                started.append(channel)
        self._say(f"Campanhas criadas: {', '.join(started)}." if started else ALL_WRITTEN_TO)
        return [campaign["id"] for campaign in helena.all("/api/v1/outreach-campaigns")]

    def _approve(self, helena: Voice, campaigns: list[str]) -> None:
        waiting = helena.all("/api/v1/outreach-messages", state="awaiting_approval")
        if waiting:
            self._say(f"{len(waiting)} mensagens esperam. Nenhuma saiu. A primeira:")
            self._console.print(f"[dim]{waiting[0]['text']}[/]", soft_wrap=True)
        seller = Voice(self._gateway, "comercial")
        for message in waiting:
            body = {"text_hash": message["text_hash"]}
            if message is waiting[0]:
                status, _ = seller.try_(f"POST /api/v1/outreach-messages/{message['id']}/approve", body)
                self._say(f"Bruno (Comercial) tenta aprovar: {status}. Quem aprova é a direção.")
            helena.ask(f"POST /api/v1/outreach-messages/{message['id']}/approve", body)
        if waiting:
            self._say(f"Helena aprovou {len(waiting)}, uma a uma, cada qual presa ao seu texto exato.")
        else:
            self._say("Nenhuma mensagem espera aprovação: o que havia já foi decidido.")

        def unsent() -> list[Any]:
            states = ("approved", "queued", "sending")
            return [m for state in states for m in helena.all("/api/v1/outreach-messages", state=state)]

        self._until("as mensagens saírem", lambda: not unsent())
        for campaign in campaigns:
            campaign_view = helena.ask(f"GET /api/v1/outreach-campaigns/{campaign}")
            sent, delivered = campaign_view["report"]["sent"], campaign_view["report"]["delivered"]
            now = sent - self._before.sent.get(campaign, 0)
            since = f"{now} saíram agora; ao todo " if campaign in self._before.sent else ""
            self._say(f"{campaign_view['name']}: {since}{sent} enviadas, {delivered} entregues.")

    def _answers(self, helena: Voice) -> list[Any]:
        def opened() -> list[Any]:
            return helena.all("/api/v1/deals")

        self._until("alguém se interessar e um negócio abrir", opened)
        self._until("as respostas pararem de chegar", self._quiet(helena))
        responses = helena.all("/api/v1/responses")
        fresh = [response for response in responses if response["id"] not in self._before.responses]
        for response in fresh:
            self._say(f"  {response['label'] or '—':<13} “{_short(response['text'])}”")
        if len(fresh) < len(responses):
            self._say(f"{len(fresh)} resposta(s) nova(s); {len(responses) - len(fresh)} já tinha(m) chegado antes.")
        suppressed = helena.all("/api/v1/suppressions")
        self._say(f"Quem pediu para parar não recebe mais nada, nunca: {_many(len(suppressed))} na lista.")
        deals = opened()
        now = sum(deal["id"] not in self._before.deals for deal in deals)
        summary = f"{len(deals)} negócio(s) aberto(s)"
        if self._before.deals:
            summary = f"{now} negócio(s) aberto(s) agora, {len(deals)} ao todo"
        self._say(f"[bold green]{summary}, cada um uma única vez.[/]")
        return deals

    def _board(self, helena: Voice, deals: list[Any]) -> None:
        deal = deals[-1]
        stages = sorted(
            (s for s in helena.all("/api/v1/deal-stages") if s["pipeline_id"] == deal["pipeline_id"]),
            key=lambda stage: stage["position"],
        )
        here = next(i for i, stage in enumerate(stages) if stage["id"] == deal["stage_id"])
        if here == 0:
            deal = helena.ask(f"POST /api/v1/deals/{deal['id']}/move", {"stage_id": stages[1]["id"]})
            self._say(f"“{deal['title']}” passou de {stages[0]['name']} para {stages[1]['name']}.")
        else:
            self._say(f"“{deal['title']}” já tinha saído de {stages[0]['name']}: está em {stages[here]['name']}.")
        bruno = Voice(self._gateway, "comercial")
        seller = bruno.ask("GET /api/v1/auth/me")["id"]
        if not any(d["owner_id"] == seller for d in deals):
            helena.ask(f"PATCH /api/v1/deals/{deals[0]['id']}", {"owner_id": seller})
        total = len(helena.all("/api/v1/deals"))
        own = len(bruno.all("/api/v1/deals"))
        self._say(f"Helena vê {total} negócio(s). Bruno, que recebeu um deles, vê {own}.")
        if own >= total and total > 1:
            raise Lost("um Comercial viu negócios que não são seus")
        client = Voice(self._gateway, "cliente")
        status, _ = client.try_("GET /api/v1/deals")
        self._say(f"O cliente (empresa {str(CLIENT_COMPANY)[:8]}…) pergunta por negócios: {status}.")
        if status < 400:
            raise Lost("um cliente alcançou os negócios")

    # -- how it is told

    def _title(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/]")

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", soft_wrap=True)

    def _task(self, voice: Voice, task_id: str) -> None:
        """Wait for a task, showing the realtime messages meanwhile."""
        task: dict[str, Any] = {}

        def ended() -> bool:
            task.update(voice.ask(f"GET /api/v1/agents/tasks/{task_id}"))
            return bool(task["state"] != "running")

        self._until("a tarefa terminar", ended)
        if task["state"] != "succeeded":
            raise Lost(f"a tarefa terminou como {task['state']}: {task['error']}")
        voice.ask(f"GET /api/v1/agents/tasks/{task_id}/result")

    def _quiet(self, voice: Voice) -> Callable[[], bool]:
        """True once nothing new was answered for two seconds."""
        seen: list[tuple[int, float]] = [(-1, 0.0)]

        def quiet() -> bool:
            responses = voice.all("/api/v1/responses")
            # What nobody can match, or understand, waits for a person and not for us.
            reading = any(response["state"] in ("stored", "matched") for response in responses)
            if reading or len(responses) != seen[0][0]:
                seen[0] = (len(responses), time.monotonic())
            return time.monotonic() - seen[0][1] > 2

        return quiet

    def _until(self, what: str, true: Callable[[], Any]) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > limit:
                raise Lost(f"esperei {PATIENCE_S:.0f} s para {what}")
            self._live.wait(0.3)
            self._live.clear()

    @contextlib.contextmanager
    def _listening(self, voice: Voice) -> Iterator[None]:
        """Show what arrives on /ws while the block runs; the story goes on without it."""
        stop = threading.Event()
        thread = threading.Thread(target=self._listen, args=(voice.token, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(3)

    def _listen(self, token: str, stop: threading.Event) -> None:
        url = self._gateway.replace("http", "ws", 1) + "/ws"
        shown = ""
        while not stop.is_set():
            try:
                with connect(url, open_timeout=5) as socket:
                    socket.send(json.dumps({"token": token}))
                    while not stop.is_set():
                        with contextlib.suppress(TimeoutError):
                            line = _line(json.loads(socket.recv(timeout=0.5)))
                            if line and line != shown:
                                shown = line
                                self._console.print(f"  [cyan]/ws[/] {line}", soft_wrap=True)
                            self._live.set()
            except (OSError, WebSocketException):
                stop.wait(0.5)


def _line(message: dict[str, Any]) -> str:
    data = message.get("data") or {}
    if str(message.get("type", "")).startswith("task."):
        counters = {k: v for k, v in (data.get("progress") or {}).items() if isinstance(v, int) and v}
        return f"{data.get('kind')}: " + ", ".join(f"{name} {count}" for name, count in counters.items())
    if message.get("type", "").startswith(("deal.", "reply.", "lead.", "message.")):
        return str(message["type"])
    return ""


def _many(count: Any) -> str:
    return str(len(count) if isinstance(count, list) else count)


def _short(text: str | None) -> str:
    plain = " ".join((text or "").split())
    return plain if len(plain) <= 70 else plain[:69] + "…"
