"""One thread per person across channels, and a person's own answer in it."""

from tests.functions.sdr.conftest import Desk


def test_the_thread_shows_both_channels_in_order_with_author_and_model(desk: Desk):
    lead = desk.lead(owner_id=desk.ana.id)
    desk.sent(lead)
    desk.mesh.advance(hours=1)
    desk.hears("Quanto custa um vídeo?")
    desk.mesh.advance(minutes=5)
    desk.post(f"conversations/{lead}/reply", {"text": "Depende do tamanho. Podemos conversar?"}, as_=desk.ana)
    desk.mesh.drain()
    thread = desk.get(f"conversations/{lead}", as_=desk.ana)
    told = [(i["direction"], i["channel"], i["author"], i["label"]) for i in thread["items"]]
    assert told == [
        ("out", "whatsapp", "agent", None),
        ("in", "whatsapp", "lead", "question"),
        ("out", "whatsapp", "person", None),
    ]
    assert thread["items"][0]["model"]
    assert thread["items"][0]["tokens"] > 0
    assert thread["items"][2]["author_id"] == str(desk.ana.id)
    assert thread["suppressed"] is False


def test_a_seller_answers_own_leads_only(desk: Desk):
    lead = desk.lead(owner_id=desk.ana.id)
    desk.sent(lead)
    desk.hears("Quanto custa?")
    path = f"POST /api/v1/conversations/{lead}/reply"
    desk.call(path, {"text": "Oi"}, as_=desk.bruno).refused(404)
    desk.call(path, {"text": "Oi"}, as_=desk.ana).ok()


def test_nobody_makes_a_first_contact_by_replying(desk: Desk):
    lead = desk.lead(owner_id=desk.ana.id)
    path = f"POST /api/v1/conversations/{lead}/reply"
    desk.call(path, {"text": "Oi"}, as_=desk.ana).refused(403)
    desk.sent(lead)
    desk.call(path, {"text": "Oi de novo"}, as_=desk.ana).refused(403)
    desk.hears("Resposta automática: fora do escritório")
    desk.call(path, {"text": "Oi de novo"}, as_=desk.ana).refused(403)


def test_an_answer_leaves_at_any_hour_to_where_they_wrote_from(desk: Desk):
    lead = desk.lead(email="contato@horizonte-exemplo.com.br", phone=None, owner_id=desk.ana.id)
    desk.sent(lead, channel="email")
    desk.mailed("horizonte", "Quanto custa um vídeo?")
    desk.mesh.advance(hours=12)
    answer = desk.post(f"conversations/{lead}/reply", {"text": "Depende. Podemos conversar?"}, as_=desk.ana)
    assert answer["to_address"] == "ana@horizonte-exemplo.com.br"
    assert answer["subject"].startswith("Re: ")
    desk.mesh.drain()
    assert desk.message(answer["id"])["state"] == "sent"


def test_a_message_written_before_they_wrote_again_does_not_cross(desk: Desk):
    lead = desk.lead(owner_id=desk.ana.id)
    desk.sent(lead)
    desk.hears("Quanto custa?")
    desk.mesh.advance(minutes=1)
    answer = desk.post(f"conversations/{lead}/reply", {"text": "Mil reais."}, as_=desk.ana)
    desk.hears("Na verdade não temos interesse, obrigado.", drain=False)
    desk.only("inbox.", "sdr.reply")
    desk.mesh.drain()
    assert desk.message(answer["id"])["state"] == "cancelled"
    assert len(desk.left()) == 1


def test_an_unknown_lead_has_no_conversation(desk: Desk):
    desk.call("GET /api/v1/conversations/00000000-0000-7000-8000-000000000000").refused(404)
