"""What words and headers settle without a model, and what they leave to it."""

import pytest

from somos.modules.sdr.rules.inbound import (
    CONFIDENCE_LIMIT,
    Inbound,
    bounced,
    by_model,
    by_rules,
)
from somos.modules.sdr.rules.optout import refusal_in
from somos.modules.sdr.rules.own_words import own_words


def whatsapp(text):
    return Inbound("whatsapp", "+5511987654321", text)


def email(text="", subject="", sender="ana@agencia.com.br", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound("email", sender, text, subject, named)


@pytest.mark.parametrize(
    "text",
    [
        "PARAR",
        "parar",
        "Pare.",
        "sair",
        "Sair, por favor",
        "REMOVER",
        "stop",
        "STOP!!!",
        "descadastrar",
        "me descadastre",
        "Unsubscribe",
        "cancelar",
        "quero sair da lista",
        "Não me mande mais mensagens",
        "não me mande isso",
        "nao me mande mais nada por favor",
        "NÃO ME ENVIE MAIS E-MAILS",
        "não quero mais receber",
        "Não quero receber propaganda de vocês.",
        "pare de me mandar mensagem",
        "Parem de me ligar",
        "para de mandar isso",
        "me tira dessa lista",
        "Por favor, remova meu número",
        "tire o meu contato da sua base",
        "Bom dia. Gostaria de ser removida da lista. Obrigada",
        "exclua meu cadastro",
        "não me procure mais",
        "nunca mais me mande mensagem",
    ],
)
def test_these_words_are_an_opt_out(text):
    assert by_rules(whatsapp(text)).label == "optout"


@pytest.mark.parametrize(
    "text",
    [
        "Sim, tenho interesse!",
        "Não tenho interesse",
        "vou sair agora, te chamo amanhã",
        "quero parar de gastar com agência ruim, me conta mais",
        "não quero parar a conversa",
        "Pode me mandar mais detalhes?",
        "não me mande o portfólio, prefiro conversar por telefone",
        "não me ligue mais tarde, só amanhã cedo",
        "Quanto custa para remover uma cena do vídeo?",
        "quero cancelar o contrato com a produtora antiga",
        "Quem é você?",
        "👍",
    ],
)
def test_these_words_leave_doubt_and_go_to_the_model(text):
    assert by_rules(whatsapp(text)) is None


def test_an_opt_out_in_the_subject_of_an_e_mail_counts():
    assert by_rules(email(subject="DESCADASTRAR")).label == "optout"


def test_our_own_footer_in_the_quoted_text_is_not_an_opt_out():
    answer = (
        "Oi! Adorei, vamos marcar?\n\nEm qui., 19 de nov. de 2026 às 10:00, João <joao@somos.com> escreveu:\n"
        "> Se preferir não receber mensagens, responda PARAR.\n"
    )
    assert by_rules(email(answer, subject="Re: quero sair da rotina")) is None
    assert own_words(answer) == "Oi! Adorei, vamos marcar?"


def test_an_opt_out_above_a_quote_still_counts():
    assert by_rules(email("parar\n\nEm 19/11/2026, João escreveu:\n> Olá")).label == "optout"


@pytest.mark.parametrize(
    "message",
    [
        email(subject="Undelivered Mail Returned to Sender", sender="mailer-daemon@googlemail.com"),
        email(subject="Delivery Status Notification (Failure)", sender="postmaster@outlook.com"),
        email(subject="Não foi possível entregar: Olá", sender="postmaster@empresa.com.br"),
        email(content_type="multipart/report; report-type=delivery-status; boundary=x"),
        email(x_failed_recipients="ana@agencia.com.br"),
        email("Final-Recipient: rfc822; ana@agencia.com.br\nAction: failed", sender="mailer-daemon@x.com"),
    ],
)
def test_a_bounce_is_a_bounce_before_anything_else(message):
    assert by_rules(message).label == "bounce"


def test_a_bounce_that_quotes_the_word_parar_is_still_a_bounce():
    message = email("parar", subject="Undeliverable: Olá", sender="mailer-daemon@x.com", auto_submitted="auto-replied")
    assert by_rules(message).label == "bounce"


def test_a_person_who_writes_about_a_failed_delivery_is_no_bounce():
    assert by_rules(email("A entrega falhou?", subject="Falha na entrega do vídeo")) is None


def test_a_bounce_names_the_dead_address_and_not_the_messenger():
    message = email("Final-Recipient: rfc822; Ana@Agencia.com.br\nmailer-daemon@x.com", sender="mailer-daemon@x.com")
    assert [bounce.address for bounce in bounced(message)] == ["ana@agencia.com.br"]


@pytest.mark.parametrize(
    "message",
    [
        email("Volto dia 10.", subject="Resposta automática: Olá"),
        email("Volto dia 10.", subject="Out of Office: vacation"),
        email("parar", auto_submitted="auto-replied"),
        email("oi", precedence="auto_reply"),
        email("oi", x_autoreply="yes"),
        whatsapp("Olá! Esta é uma mensagem automática. Em breve um atendente responderá."),
        whatsapp("Agradecemos o seu contato! Nossa equipe retornará em breve."),
        whatsapp("Nosso horário de atendimento é de segunda a sexta, das 9h às 18h."),
    ],
)
def test_automatic_answers_are_not_replies(message):
    assert by_rules(message).label == "automatic"


def test_an_ordinary_mail_that_says_no_auto_submission_is_read_normally():
    assert by_rules(email("Oi", auto_submitted="no")) is None


def test_the_models_answer_below_the_limit_goes_to_a_person():
    assert by_model("interested", CONFIDENCE_LIMIT - 0.01, "q").label == "unclear"
    assert by_model("interested", CONFIDENCE_LIMIT, "q").label == "interested"


@pytest.mark.parametrize(("label", "confidence"), [("bounce", 0.99), ("sei lá", 0.99), ("no", 7.0), ("no", -1.0)])
def test_a_label_the_model_cannot_know_is_not_believed(label, confidence):
    verdict = by_model(label, confidence, "")
    assert verdict.label == "unclear"
    assert 0 <= verdict.confidence <= 1


@pytest.mark.parametrize("noise", ["", "!", " 🙏", "...", "\n"])
@pytest.mark.parametrize("word", ["parar", "SAIR", "Remover", "stop", "Descadastrar"])
def test_the_five_words_work_however_they_are_typed(word, noise):
    refusal = refusal_in(word + noise)
    assert refusal is not None
    assert refusal.certain
