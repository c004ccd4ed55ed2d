"""The rules the sandbox's model answers by. Plain text matching, written down in the README; no intelligence.

Everything is read from the prompt. Text inside `<evidencias>` or `<mensagem>` is only ever searched for words;
nothing it says changes how the rules work.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

SIZE_WORDS = (
    "profissionais",
    "funcionarios",
    "colaboradores",
    "pessoas",
    "empregados",
    "time de",
    "equipe de",
)
MINIMUM = re.compile(
    r"(?:(\d+)\s*\+|(\d+)\s+ou\s+mais|(?:mais de|pelo menos|no minimo|minimo de|acima de|a partir de)\s+(\d+))"
    r"\s*([a-z]+)?"
)
MONTHS = ("janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
          "novembro", "dezembro")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of `<evidencias>`: the field it is about and its text, without the address."""

    field: str
    text: str


def plain(text: str) -> str:
    """Lower case without accents, so that words can be compared."""
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()


def section(prompt: str, name: str) -> str:
    """What stands between <name> and </name>; empty when the prompt has no such part."""
    # A tag that opens a line is the part itself; elsewhere it may be only spoken of.
    match = re.search(rf"^\s*<{name}>(.*?)</{name}>", prompt, re.S | re.M) or re.search(
        rf"<{name}>(.*?)</{name}>", prompt, re.S
    )
    return match.group(1).strip() if match else ""


def evidence_lines(prompt: str) -> list[Evidence]:
    lines = []
    for line in section(prompt, "evidencias").splitlines():
        match = re.match(r"^\s*(?:[-*]\s*)?(?:\[([^\]]*)\]\s*)?(.*?)\s*(?:\(https?://[^)\s]*\))?\s*$", line)
        if match and match.group(2):
            lines.append(Evidence(plain(match.group(1) or ""), match.group(2)))
    return lines


def sentences(text: str) -> list[str]:
    """The sentences of a text, each as it stands there, so that it can be quoted."""
    return [s.strip() for s in re.findall(r"[^.!?\n]+(?:\.(?=\w)[^.!?\n]+)*[.!?]*", text) if s.strip()]


def mentions(text: str, phrase: str) -> bool:
    """Whether the words of the phrase stand in the text one after the other; endings may differ (plural)."""
    stems = [
        re.escape(w[:-1] if len(w) > 4 and w.endswith("s") else w) for w in re.findall(r"[a-z0-9]+", plain(phrase))
    ]
    return bool(stems) and re.search(r"\b" + r"\w{0,2}\W+".join(stems), plain(text)) is not None


def denies(text: str) -> bool:
    return re.search(r"\b(nao|nunca|deixamos de)\b", plain(text)) is not None


# --- RubricAssessment ----------------------------------------------------------------------------------------


def assess_rubric(prompt: str) -> dict[str, Any]:
    """Every criterion of `<criterios>` answered from the evidence lines alone."""
    lines = evidence_lines(prompt)
    answers = []
    for line in section(prompt, "criterios").splitlines():
        parts = [p.strip() for p in line.strip().lstrip("-* ").split("|")]
        if len(parts) < 2 or not parts[0]:
            continue
        keywords = [k.strip() for k in ",".join(parts[2:]).split(",") if k.strip()]
        answer, value, quote = judge(parts[0], parts[1], keywords, lines)
        answers.append({"id": parts[0], "answer": answer, "value": value, "quote": quote})
    return {"criteria": answers}


def judge(
    identifier: str, question: str, keywords: list[str], lines: list[Evidence]
) -> tuple[str, str | None, str | None]:
    """yes, partly, no or unknown for one criterion, with the value found and the sentence it was found in."""
    minimum = minimum_in(f"{' , '.join(keywords)} , {question}")
    if minimum:
        return judge_number(*minimum, lines)
    own_field = [e for e in lines if e.field and (e.field in plain(identifier) or plain(identifier) in e.field)]
    denied: tuple[str, str | None, str | None] | None = None
    for entry in own_field + [e for e in lines if e not in own_field]:
        for sentence in sentences(entry.text):
            hit = next((k for k in keywords if mentions(sentence, k)), None)
            if hit is None:
                continue
            if denies(sentence):
                denied = denied or ("no", None, sentence)
            else:
                return "yes", hit, sentence
    if denied:
        return denied
    if own_field and keywords:
        return "no", own_field[0].text, own_field[0].text
    for entry in lines:
        for sentence in sentences(entry.text):
            for keyword in keywords:
                words = [w for w in re.findall(r"\w+", keyword) if len(w) > 3]
                if len(words) > 1 and any(mentions(sentence, w) for w in words) and not denies(sentence):
                    return "partly", keyword, sentence
    return "unknown", None, None


def minimum_in(text: str) -> tuple[int, tuple[str, ...]] | None:
    """A demanded minimum such as "50+ funcionários": the number and the words it counts."""
    match = MINIMUM.search(plain(text))
    if match is None:
        return None
    number = int(next(g for g in match.groups()[:3] if g))
    unit = match.group(4) or ""
    if not unit or any(unit[:6] in w for w in SIZE_WORDS):
        return number, SIZE_WORDS
    return number, (unit,)


def judge_number(minimum: int, units: tuple[str, ...], lines: list[Evidence]) -> tuple[str, str | None, str | None]:
    """Compare the largest number that stands near the counted word with the minimum."""
    best: tuple[int, str] | None = None
    for entry in lines:
        for sentence in sentences(entry.text):
            for number in numbers_near(sentence, units):
                if best is None or number > best[0]:
                    best = (number, sentence)
    if best is None:
        return "unknown", None, None
    number, sentence = best
    if number >= minimum:
        return "yes", str(number), sentence
    return ("partly" if number >= 0.6 * minimum else "no"), str(number), sentence


def numbers_near(sentence: str, units: tuple[str, ...]) -> list[int]:
    text = plain(sentence)
    numbers = []
    for unit in units:
        stem = re.escape(unit[:-1] if unit.endswith("s") else unit)
        for match in re.finditer(rf"(\d[\d.]*)\s*\+?\s*(?:\w+\s+)?{stem}|{stem}\w*\s+(?:\w+\s+)?(\d[\d.]*)", text):
            digits = (match.group(1) or match.group(2)).replace(".", "")
            if digits:
                numbers.append(int(digits))
    return numbers


# --- OutreachDraft -------------------------------------------------------------------------------------------


def named(block: str) -> str:
    """The name a block gives: the value of its `nome` line, else its first line."""
    match = re.search(
        r"^\s*[\"']?(?:nome|name|empresa|razao social)[\"']?\s*[:=]\s*[\"']?([^\"'\n,]+)", block, re.I | re.M
    )
    if match:
        return match.group(1).strip()
    first = next((line.strip() for line in block.splitlines() if line.strip()), "")
    return first.split(" | ")[0].split(", ")[0].strip(' {}"')


def draft_outreach(prompt: str) -> dict[str, Any]:
    """One short message that names the person, the company and one thing their own site says."""
    email = "mail" in plain(section(prompt, "canal"))
    company = named(section(prompt, "empresa")) or "sua empresa"
    person = named(section(prompt, "pessoa")).split(" ")[0]
    sender = named(section(prompt, "remetente"))
    producer = named(section(prompt, "produtora")) or "nossa produtora"
    greeting = f"Olá, {person}!" if person else f"Olá, equipe da {company}!"
    who = f"Sou {sender}, da {producer}." if sender else f"Escrevo em nome da {producer}."
    parts = [f"{greeting} {who}"]
    if section(prompt, "mensagem"):  # they wrote to us: this answers them
        parts = [f"{greeting} Obrigado pela resposta.", answer_to(section(prompt, "mensagem"))]
    else:
        hook = first_fact(evidence_lines(prompt))
        read = f"Li no site da {company}: “{hook}” " if hook else f"Escrevo porque conheci a {company}. "
        parts.append(read + "Produzimos vídeos para agências e marcas e temos duas ideias para mostrar.")
        parts.append("Podemos conversar 15 minutos esta semana?")
    if re.search(r"parar|descadastr|opt-?out|sair", plain(section(prompt, "instrucao"))):
        parts.append("Se preferir não receber mensagens, responda PARAR.")
    signature = sender or producer
    if email:
        subject = f"Vídeo para a {company}"
        return {"subject": subject[:60], "text": "\n\n".join([*parts, f"Abraço,\n{signature}"])}
    return {"subject": None, "text": "\n\n".join([" ".join(parts), signature])}


def answer_to(message: str) -> str:
    """What the draft of a reply says, by the kind of message it replies to."""
    label = classify_reply(f"<mensagem>{message}</mensagem>")["label"]
    if label == "interested":
        return "Ótimo! Qual o melhor dia e horário para conversarmos?"
    if label == "question":
        return "Para responder bem preciso entender o que vocês imaginam. Podemos falar 15 minutos esta semana?"
    return "Entendi. Posso ajudar com mais alguma informação?"


def first_fact(lines: list[Evidence]) -> str:
    """A sentence of fitting length that the company says about itself, in the order of the evidence."""
    for entry in lines:
        if entry.field in ("cnpj", "telefone", "email", "e-mail", "endereco", "cidade", "uf"):
            continue
        for sentence in sentences(entry.text):
            if 20 <= len(sentence) <= 120 and not re.search(r"instruc|aprov|nota \d|@|http", plain(sentence)):
                return sentence
    return ""


# --- ReplyClassification -------------------------------------------------------------------------------------

# The first rule whose words stand in the message decides; the order is part of the rules.
REPLY_RULES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("bounce", 0.99, (
        r"undeliver|delivery status notification|mailbox (does not exist|unavailable)|user unknown",
        r"mensagem nao entregue|caixa postal (nao existe|inexistente)",
    )),
    # The prompt asks for it: a message that gives orders to whoever classifies is for a person to read.
    ("unclear", 0.2, (r"ignor\w+ (as|todas|suas|qualquer).{0,20}(instruc|regra)|classifi(que|car) (isto|esta|como)",)),
    ("automatic", 0.97, (
        r"resposta automatica|mensagem automatica|fora do escritorio|out of office|de ferias|estou ausente",
        r"retornaremos (o contato|em breve)|horario de atendimento",
    )),
    ("optout", 0.99, (
        r"^\s*(parar?|pare|sair|stop|cancelar|remover|descadastrar)\s*[.!]*\s*$",
        r"descadastr|nao me (mande|mandem|envie|enviem|escreva|escrevam|procure)|nao quero (mais )?receber",
        r"(tire|remova|retire)\w*\b.*\b(lista|contato|numero|e-?mail)|quem passou meu",
    )),
    ("wrong_person", 0.95, (
        r"nao sou (eu|a pessoa|o responsavel|a responsavel)|pessoa errada|numero errado|e engano",
        r"nao trabalho mais|nao (cuido|trato) d|fale com (o|a)\b|quem cuida disso",
    )),
    ("no", 0.95, (
        r"nao (temos|tenho|ha|tem) (mais )?(interesse|verba|demanda|orcamento)|sem interesse|nao,? obrigad",
        r"nao (queremos|quero|precisamos|preciso)|dispens|ja temos (fornecedor|produtora|parceir)",
        r"^\s*nao\s*[.!]*\s*$",
    )),
    ("later", 0.9, (
        r"(me procur|procurar? de novo|me cham|me lig|retom|voltar? a falar|volte a falar)\w*"
        r".*(em|no|dia|depois|semana|mes|ano|\d)",
        r"(mes|semana|ano) que vem|proximo (mes|ano|semestre|trimestre)|mais (para|pra) frente",
        r"agora nao|no momento nao|depois (do|da|de) ",
    )),
    ("interested", 0.93, (
        r"(tenho|temos) (muito )?interesse|interessad|quero (saber|conhecer|ver|conversar|marcar)|marcar uma",
        r"(vamos|podemos|bora) (marcar|conversar|falar|agendar)|pode (mandar|enviar|ligar|me ligar)",
        r"me (mande|manda|envie|envia) (mais|a|o|uma|um)\b|gostei|adorei|topo|claro|^\s*sim\b",
    )),
    ("question", 0.9, (r"\?|quanto custa|qual (o|e o) (valor|preco|prazo)|como funciona",)),
)  # fmt: skip


def classify_reply(prompt: str) -> dict[str, Any]:
    """Which kind of answer a message is, by the words in it, with the sentence that decided."""
    message = section(prompt, "mensagem") or prompt
    own_text = without_quoted_mail(message)
    for label, confidence, patterns in REPLY_RULES:
        pattern = "|".join(patterns)
        if re.search(pattern, plain(own_text), re.S | re.M):
            later = later_date(own_text, prompt) if label in ("later", "automatic") else None
            quote = deciding_sentence(own_text, pattern)
            return {"label": label, "confidence": confidence, "quote": quote, "later_date": later}
    first = next(iter(sentences(own_text)), own_text.strip())
    return {"label": "unclear", "confidence": 0.4, "quote": first, "later_date": None}


def without_quoted_mail(message: str) -> str:
    """The new part of an answer: the quoted mail below it is not what the person says now."""
    kept = []
    for line in message.splitlines():
        if re.match(r"^\s*(Em .{5,80} escreveu:|On .{5,80} wrote:|-{3,}\s*(Mensagem original|Original message))", line):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    return "\n".join(kept).strip() or message


def deciding_sentence(message: str, pattern: str) -> str:
    return next((s for s in sentences(message) if re.search(pattern, plain(s))), message.strip())


def later_date(message: str, prompt: str) -> str | None:
    """The day a message names; days counted from today only when the prompt says what today is (`<hoje>`)."""
    text = plain(message)
    if full := re.search(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b", text):
        return safe_date(int(full[3]), int(full[2]), int(full[1]))
    date_match = re.search(r"\d{4}-\d{2}-\d{2}", section(prompt, "hoje") or section(prompt, "data"))
    if date_match is None:
        return None
    today = date.fromisoformat(date_match.group())
    if short := re.search(r"\b(?:dia )?(\d{1,2})/(\d{1,2})\b", text):
        return upcoming(today, int(short[2]), int(short[1]))
    if span := re.search(r"(?:daqui a|em|depois de) (\d+) (dia|semana|mes)", text):
        days = {"dia": 1, "semana": 7, "mes": 30}[span[2]]
        return (today + timedelta(days=int(span[1]) * days)).isoformat()
    for words, days in (("semana que vem", 7), ("mes que vem", 30), ("proximo mes", 30)):
        if words in text:
            return (today + timedelta(days=days)).isoformat()
    if "ano que vem" in text or "proximo ano" in text:
        return f"{today.year + 1}-01-15"
    month = next((n for n, name in enumerate(MONTHS, start=1) if re.search(rf"\b{name}\b", text)), None)
    return upcoming(today, month, 1) if month else None


def upcoming(today: date, month: int, day: int) -> str | None:
    this_year = safe_date(today.year, month, day)
    return this_year if this_year and this_year > today.isoformat() else safe_date(today.year + 1, month, day)


def safe_date(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


BY_SCHEMA = {
    "RubricAssessment": assess_rubric,
    "OutreachDraft": draft_outreach,
    "ReplyClassification": classify_reply,
}
