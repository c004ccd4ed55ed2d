"""Each contradiction between declarations is refused, saying where it is and what to do."""

from pathlib import Path

import pytest

from somos.events.crm import DealOpened, DealWon
from somos.mesh.derive import derive, write
from somos.mesh.derive.faults import faults
from somos.mesh.events import Event
from somos.mesh.routes import Routes
from tests.contract.declared import declared, line_of

ALL: list[type[Event]] = []


def messages(folder: Path, events: list[type[Event]] = ALL, **files: str) -> list[str]:
    with declared(folder, **files) as functions:
        return [str(fault) for fault in faults(functions, events)]


def test_a_sound_set_has_no_faults(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        [DealOpened],
        crm__deals="""
            @http.post("/api/v1/deals", allow="crm:write")
            def deals_create(ctx) -> None:
                ctx.emit(DealOpened(deal_id=UUID(int=0), owner_id=None))

            @http.get("/api/v1/deals/{id}", allow="crm:read")
            def deals_show(id: UUID, ctx) -> None: ...

            @http.get("/api/v1/deals/summary", allow="crm:read")
            def deals_summary(ctx) -> None: ...
        """,
        crm__on_deal_opened="""
            @topic(DealOpened)
            def on_deal_opened(event: DealOpened, ctx) -> None: ...
        """,
    )
    assert found == []


def test_a_route_declared_twice_names_both_places(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        crm__deals="""
            @http.get("/api/v1/deals/{id}", allow="crm:read")
            def deals_show(id: UUID, ctx) -> None: ...
        """,
        sdr__deals="""
            @http.get("/api/v1/deals/{deal_id}", allow="crm:read")
            def show_again(deal_id: UUID, ctx) -> None: ...
        """,
    )
    here, there = line_of(tmp_path, "crm__deals", "@http"), line_of(tmp_path, "sdr__deals", "@http")
    assert found == [
        f"{here}: GET /api/v1/deals/{{id}} já é declarada em {there}. "
        "Mude o caminho de uma das duas ou junte-as numa função só."
    ]


def test_two_patterns_that_match_the_same_address_equally_well_are_ambiguous(tmp_path: Path) -> None:
    (found,) = messages(
        tmp_path,
        crm__deals="""
            @http.get("/api/v1/{kind}/open", allow="crm:read")
            def open_things(kind: str, ctx) -> None: ...

            @http.get("/api/v1/deals/{id}", allow="crm:read")
            def deals_show(id: UUID, ctx) -> None: ...
        """,
    )
    assert "atendem aos mesmos endereços e nenhuma é mais específica" in found
    assert "Troque um dos parâmetros por um trecho fixo" in found


def test_a_webhook_and_an_endpoint_cannot_share_a_path(tmp_path: Path) -> None:
    (found,) = messages(
        tmp_path,
        sdr__hook_x="""
            @webhook("/webhook/whatsapp", signed_by="evolution")
            def hook_x(event: Body, ctx) -> None: ...

            @http.post("/webhook/whatsapp", allow="anyone")
            def twin(ctx) -> None: ...
        """,
    )
    assert "POST /webhook/whatsapp já é declarada em" in found


def test_a_permission_that_the_matrix_lacks_is_refused(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        crm__deals="""
            @http.get("/api/v1/deals", allow="deals:read")
            def deals_list(ctx) -> None: ...
        """,
    )
    assert found == [
        f"{line_of(tmp_path, 'crm__deals', '@http')}: GET /api/v1/deals pede a permissão 'deals:read', que a matriz "
        "não tem. Use '<módulo>:read', '<módulo>:write', 'signed-in', 'anyone' ou uma ação de "
        "shared/somos/policy/actions.py; um módulo novo entra em shared/somos/policy/matrix.py."
    ]


def test_an_event_that_nobody_consumes_is_refused_where_it_is_emitted(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        [DealOpened],
        crm__deals="""
            @http.post("/api/v1/deals", allow="crm:write")
            def deals_create(ctx) -> None:
                ctx.emit(DealOpened(deal_id=UUID(int=0), owner_id=None))
        """,
    )
    assert found == [
        f"{line_of(tmp_path, 'crm__deals', '@http')}: DealOpened (crm.deal_opened) é emitido mas ninguém o consome. "
        "Escreva um @topic(DealOpened) em functions/, ou deixe de emiti-lo."
    ]


def test_a_consumer_without_an_emitter_is_refused(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        [DealOpened],
        crm__on_deal_opened="""
            @topic(DealOpened)
            def on_deal_opened(event: DealOpened, ctx) -> None: ...
        """,
    )
    assert found == [
        f"{line_of(tmp_path, 'crm__on_deal_opened', '@topic')}: espera DealOpened (crm.deal_opened), "
        "que ninguém emite. "
        "Emita DealOpened em quem o causa, ou apague este consumidor."
    ]


def test_an_event_without_emitter_and_consumer_is_refused_where_it_is_declared(tmp_path: Path) -> None:
    (found,) = messages(tmp_path, [DealWon])
    assert found.startswith("shared/somos/events/crm.py:")
    assert "ninguém emite nem consome DealWon (crm.deal_won)" in found


def test_an_event_declared_outside_the_events_room_is_refused(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        crm__deals="""
            from somos.mesh.events import Event

            class Private(Event):
                x: int = 1

            @http.post("/api/v1/deals", allow="crm:write")
            def deals_create(ctx) -> None:
                ctx.emit(Private())

            @topic(Private)
            def on_private(event: Private, ctx) -> None: ...
        """,
    )
    assert found == [
        f"{line_of(tmp_path, 'crm__deals', '@http')}: o evento deals.private não é declarado em shared/somos/events. "
        "Declare a classe no arquivo do módulo que o afirma, em shared/somos/events/<módulo>.py."
    ]


def test_what_a_called_function_emits_counts_as_the_handlers(tmp_path: Path) -> None:
    source = """
        def _win(deal, ctx):
            happened = DealWon(deal_id=deal, company_id=deal)
            ctx.emit(happened if deal else DealOpened(deal_id=deal, owner_id=None))

        @http.post("/api/v1/deals/{id}/win", allow="crm:write")
        def deals_win(id: UUID, ctx) -> None:
            _win(id, ctx)
    """
    with declared(tmp_path, crm__deals=source) as functions:
        assert Routes.of(functions).emits == {"crm-deals": ("crm.deal_opened", "crm.deal_won")}


def test_an_emission_that_cannot_be_read_is_refused_at_its_own_line(tmp_path: Path) -> None:
    found = messages(
        tmp_path,
        crm__deals="""
            @http.post("/api/v1/deals", allow="crm:write")
            def deals_create(ctx) -> None:
                ctx.emit(ctx.whatever())
        """,
    )
    assert found == [
        f"{line_of(tmp_path, 'crm__deals', 'whatever')}: não dá para saber que evento deals_create emite aqui. "
        "Escreva a classe na chamada: ctx.emit(DealOpened(...))."
    ]


def test_a_timer_with_an_impossible_schedule_is_refused(tmp_path: Path) -> None:
    (found,) = messages(
        tmp_path,
        crm__every_x="""
            @cron("61 * * * *")
            def every_x(ctx) -> None: ...
        """,
    )
    assert "'61 * * * *' não é um horário de cron" in found


def test_a_name_that_the_platforms_refuse_is_refused(tmp_path: Path) -> None:
    (found,) = messages(
        tmp_path,
        **{
            "crm__" + "long_" * 15: """
            @cron("* * * * *")
            def every_x(ctx) -> None: ...
        """
        },
    )
    assert "não serve para OpenFaaS nem Knative" in found


def test_nothing_is_written_while_the_declarations_contradict_themselves(tmp_path: Path) -> None:
    with declared(
        tmp_path,
        crm__deals="""
            @http.get("/api/v1/deals", allow="nonsense")
            def deals_list(ctx) -> None: ...
        """,
    ) as functions:
        derived = derive(functions, [])
    assert derived.faults
    assert derived.files == {}


@pytest.mark.parametrize("name", ["stack.yml", "gateway/map.md", "gateway/permissions.md", "infra/placement.md"])
def test_a_file_changed_by_hand_is_drift_at_its_first_different_line(tmp_path: Path, name: str) -> None:
    with declared(
        tmp_path,
        crm__deals="""
            @http.get("/api/v1/deals/{id}", allow="crm:read")
            def deals_show(id: UUID, ctx) -> None: ...
        """,
    ) as functions:
        derived = derive(functions, [])
    write(derived.files, tmp_path)
    assert derived.drift(tmp_path) == []
    lines = (tmp_path / name).read_text().splitlines(keepends=True)
    (tmp_path / name).write_text("".join([*lines[:2], "changed\n", *lines[3:]]))
    (fault,) = derived.drift(tmp_path)
    assert str(fault) == (
        f"{name}:3: não corresponde às declarações em functions/. Rode `somos derive` e versione o resultado."
    )
