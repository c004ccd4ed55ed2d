"""The world's own controls, for tests and demonstrations: what was sent, faults, held webhooks, people who write."""

import json
from typing import Any

from flask import Blueprint, Response, jsonify, request

from infra.sandbox.clock import iso
from infra.sandbox.evolution import Evolution
from infra.sandbox.evolution_shapes import HOW
from infra.sandbox.faults import KINDS
from infra.sandbox.people import TEMPERAMENTS, Company, companies, display_phone
from infra.sandbox.resend import Resend
from infra.sandbox.state import Row
from infra.sandbox.world import World

PROVIDERS = ("serpapi", "evolution", "resend", "openai", "cnpj", "sites")
ORDERS = ("sent", "reversed", "random")


def blueprint(world: World, evolution: Evolution, resend: Resend) -> Blueprint:
    bp = Blueprint("control", __name__, url_prefix="/_world")

    def wrong(message: str) -> tuple[Response, int]:
        return jsonify(error=message), 400

    def body() -> Row:
        given = request.get_json(silent=True)
        return given if isinstance(given, dict) else {}

    @bp.get("/health")
    def health() -> Any:
        return jsonify(ok=True, planned=world.agenda.planned(), holding=world.webhooks.holding)

    @bp.post("/reset")
    def reset() -> Any:
        seed = body().get("seed", world.config.seed)
        with world.state.write():
            world.reset(seed)
            evolution.seed()
            resend.seed()
        return jsonify(seed=world.state.setting("seed"))

    @bp.post("/settings")
    def settings() -> Any:
        given = body()
        taken = world.config.update(given)
        if "searches_left" in given:
            world.state.set_setting("searches_left", int(given["searches_left"]))
            taken.append("searches_left")
        if unknown := sorted(set(given) - set(taken)):
            return wrong(f"unknown settings: {', '.join(unknown)}")
        evolution.seed()
        resend.seed()
        return jsonify(taken=taken)

    @bp.get("/sent")
    def sent() -> Any:
        channel, person = request.args.get("channel"), request.args.get("person")
        rows = world.state.rows(
            "SELECT * FROM messages WHERE (? IS NULL OR channel = ?) AND (? IS NULL OR person = ?) ORDER BY seq",
            channel, channel, person, person,
        )  # fmt: skip
        return jsonify([sent_view(row) for row in rows])

    @bp.get("/inbound")
    def inbound() -> Any:
        rows = world.state.rows("SELECT * FROM inbound ORDER BY created_at, rowid")
        for row in rows:
            row["at"] = iso(row.pop("created_at"))
            row["extra"] = json.loads(row["extra"])
        return jsonify(rows)

    @bp.get("/calls")
    def calls() -> Any:
        rows = world.state.rows("SELECT * FROM calls ORDER BY provider, path, method, status")
        totals: dict[str, int] = {}
        for row in rows:
            totals[row["provider"]] = totals.get(row["provider"], 0) + row["count"]
        return jsonify(totals=totals, calls=rows)

    @bp.get("/faults")
    def faults() -> Any:
        return jsonify(world.faults.pending())

    @bp.post("/faults")
    def plan_fault() -> Any:
        fault = body()
        if fault.get("provider") not in PROVIDERS:
            return wrong(f"provider must be one of {', '.join(PROVIDERS)}")
        if fault.get("kind") not in KINDS:
            return wrong(f"kind must be one of {', '.join(KINDS)}")
        return jsonify(id=world.faults.plan(fault)), 201

    @bp.delete("/faults")
    def clear_faults() -> Any:
        world.faults.clear()
        return "", 204

    @bp.get("/webhooks")
    def webhooks() -> Any:
        limit = int(request.args.get("limit", "500"))
        return jsonify(world.webhooks.log(request.args.get("provider"), request.args.get("state"), limit))

    @bp.post("/webhooks")
    def steer_webhooks() -> Any:
        request_body = body()
        action, order = request_body.get("action"), request_body.get("order", "sent")
        if order not in ORDERS:
            return wrong(f"order must be one of {', '.join(ORDERS)}")
        common = {
            "times": int(request_body.get("times", 1)),
            "order": order,
            "parallel": bool(request_body.get("parallel")),
        }
        if action == "hold":
            world.webhooks.hold()
            return jsonify(holding=True)
        if action == "release":
            keep = bool(request_body.get("keep_holding"))
            return jsonify(deliveries=world.webhooks.release(**common, ids=request_body.get("ids"), keep_holding=keep))
        if action == "replay":
            again = world.webhooks.replay(**common, ids=request_body.get("ids"), provider=request_body.get("provider"))
            return jsonify(deliveries=again)
        return wrong("action must be one of hold, release, replay")

    @bp.post("/wait")
    def wait() -> Any:
        """Return when nothing is planned any more: no receipt, no answer, no retry."""
        return jsonify(idle=world.agenda.idle(float(body().get("timeout", 10))))

    @bp.get("/people")
    def people() -> Any:
        return jsonify([person_view(p) for p in world.people()])

    @bp.post("/people/<person_id>")
    def change_person(person_id: str) -> Any:
        given = body()
        if given.get("temperament", "silence") not in TEMPERAMENTS:
            return wrong(f"temperament must be one of {', '.join(TEMPERAMENTS)}")
        return jsonify(person_view(world.change_person(person_id, given)))

    @bp.post("/people/<person_id>/say")
    def say(person_id: str) -> Any:
        person, request_body = world.person(person_id), body()
        if person is None:
            return jsonify(error="no such person"), 404
        text = str(request_body.get("text", ""))
        if request_body.get("channel", "whatsapp") == "email":
            last = last_message("email", person_id)
            return jsonify(id=resend.say(person, text, last, request_body)), 201
        if (how := request_body.get("how", "plain")) not in HOW:
            return wrong(f"how must be one of {', '.join(HOW)}")
        instance = instance_of(person_id, request_body)
        if instance is None:
            return jsonify(error="no such instance"), 404
        return jsonify(id=evolution.say(person, text, instance, how)), 201

    @bp.post("/people/<person_id>/<what>")
    def do(person_id: str, what: str) -> Any:
        person, request_body = world.person(person_id), body()
        instance = instance_of(person_id, request_body)
        if person is None or instance is None or what not in ("edit", "react", "delete", "hear-by-hand"):
            return jsonify(error="no such person, instance or doing"), 404
        id, text = str(request_body.get("id", "")), str(request_body.get("text", ""))
        if what == "hear-by-hand":
            return jsonify(id=evolution.by_hand(person, text, instance)), 201
        if what == "edit":
            evolution.edit(person, id, text, instance)
        else:
            evolution.touch(person, what, id, text, instance)
        return jsonify(ok=True)

    @bp.post("/people/<person_id>/unsubscribe")
    def unsubscribe(person_id: str) -> Any:
        person = world.person(person_id)
        if person is None:
            return jsonify(error="no such person"), 404
        status = resend.unsubscribe(person)
        if status is None:
            return jsonify(error="the last mail to this person has no one-click link"), 409
        return jsonify(status=status)

    @bp.get("/companies")
    def list_companies() -> Any:
        return jsonify([company_view(company) for company in companies()])

    @bp.post("/instances/<name>")
    def connection(name: str) -> Any:
        if evolution.instance(name) is None:
            return jsonify(error=f"no instance {name}"), 404
        state = body().get("state", "close")
        evolution.connection(name, state, 200 if state == "open" else int(body().get("reason", 401)))
        return jsonify(instance=name, state=state)

    def instance_of(person_id: str, request: Row) -> Row | None:
        """The number that is asked for, else the one that last wrote to this person."""
        last = last_message("whatsapp", person_id)
        return evolution.instance(request.get("instance") or (last["sender"] if last else world.config.instances[0]))

    def last_message(channel: str, person_id: str) -> Row | None:
        return world.state.one(
            "SELECT * FROM messages WHERE channel=? AND person=? ORDER BY seq DESC LIMIT 1",
            channel,
            person_id,
        )

    def person_view(person: Any) -> Row:
        fields = ("id", "name", "role", "temperament", "company", "email", "phone", "jid")
        sent_n = world.state.one("SELECT count(*) AS n FROM messages WHERE person=?", person.id)
        messages = world.state.rows("SELECT channel, text FROM inbound WHERE person=? ORDER BY rowid", person.id)
        return {
            **{f: getattr(person, f) for f in fields},
            "received": sent_n["n"] if sent_n else 0,
            "said": messages,
        }

    return bp


def company_view(company: Company) -> Row:
    same = (
        "slug", "name", "legal_name", "cnpj", "city", "uf", "segment", "domain", "email", "known", "registry", "site",
    )  # fmt: skip
    return {
        **{name: getattr(company, name) for name in same},
        "fixed": display_phone(company.fixed),
        "mobile": display_phone(company.mobile),
        "person": company.person.id,
        "listed_in": list(company.listed_in),
    }


def sent_view(row: Row) -> Row:
    extra = json.loads(row["extra"])
    same = ("id", "channel", "person", "subject", "text", "html", "idempotency_key", "status")
    return {
        **{name: row[name] for name in same},
        "from": row["sender"],
        "to": row["recipient"],
        "headers": json.loads(row["headers"]),
        "after_optout": extra.get("after_optout", False),
        "at": iso(row["created_at"]),
    }
