"""Whether a machine wrote: an absence, a receipt, a greeting, a menu."""

import re

from somos.modules.sdr.rules.own_words import plain

# --- what the mail program says of itself ---------------------------------------------------------------

REPLIED = "auto-replied"


def submitted_by_machine(headers: dict[str, str]) -> str | None:
    """A header that only machines write. Names are in lower case."""
    submitted = headers.get("auto-submitted", "").lower().strip()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"[:200]
    for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-vacation", "x-auto-response"):
        if headers.get(name, "no").lower().strip() not in ("no", ""):
            return "X-Autoreply"
    if headers.get("precedence", "").lower().strip() == "auto_reply":
        return "Precedence: auto_reply"
    report = re.search(r"report-type=\"?([\w-]+)", headers.get("content-type", "").lower())
    return report[1] if report else None  # of a reading, or of success: failures are bounces


def sent_in_bulk(headers: dict[str, str]) -> str | None:
    """Mail of a list that answers nothing of ours. Some companies stamp their people's mail so as well."""
    precedence = headers.get("precedence", "").lower().strip()
    if precedence not in ("bulk", "junk") or headers.get("in-reply-to") or headers.get("references"):
        return None
    return f"Precedence: {precedence}"


# --- what the words say ---------------------------------------------------------------------------------

_SUBJECT = re.compile(
    r"^\s*((re|res|enc)\s*:\s*)*(resposta automatica|auto(matic)?[ -]?re(ply|sponse)|automatische antwort"
    r"|respuesta automatica|out of (the )?office|fora do escritorio|ausencia|ausente|estou de ferias|em ferias"
    r"|ferias\b|mensagem automatica|aviso de (ferias|ausencia|recebimento)|confirmacao de (leitura|recebimento)"
    r"|auto:|\[?(ticket|chamado|protocolo)\b.{0,20}\d)"
)
_SAYS_SO = (
    r"(esta|essa) (e )?(uma )?(mensagem|resposta|e-?mail) (e )?(automatic[ao]|gerad[ao] automaticamente)"
    r"|mensagem automatica|resposta automatica|respondedor automatico|automatic(ally)? (reply|generated)|auto-?reply"
    r"|favor nao responder (a )?(este|esta|esse)|do not reply to this|no-?reply message"
    r"|(assistente|atendente) virtual|\bchatbot\b|sou (o|a) (robo|bot)\b"
)
_AWAY = (
    r"out of (the )?office|(estou|estarei|esta|encontro-me|me encontro) (ausente|fora do escritorio|de ferias|em ferias"
    r"|de licenca|em licenca|afastad[oa]|em viagem|em recesso)|fora do escritorio (ate|de|entre|no)"
    r"|(periodo|recesso) de (ferias|fim de ano|ausencia)|(estamos|estaremos) (em|de) (recesso|ferias( coletivas)?)"
    r"|on (vacation|holiday|annual leave|parental leave|maternity leave)|licenca.?maternidade"
    r"|(away|limited access to e-?mail).{0,40}(until|till|through)"
)
_GREETS = (
    r"(agradece(mos)?|obrigad[oa]s?) (pel[oa] |o |a )?(seu |sua )?(contato|mensagem|interesse em falar)"
    r".{0,160}(em breve.{0,40}(retorn|respond|contato|atend)|retorna(remos|mos|ra)|respond(eremos|emos)"
    r"|assim que possivel|como podemos|como posso|atendera|atendente|horario|aguarde|disponive)"
    r"|(bem[- ]vind[oa]|ola|oi)\b.{0,120}\b(agradece|obrigad[oa]|seja bem).{0,60}(contato|mensagem|por falar)"
    r"|\bagradece (o |a )?(seu|sua) (contato|mensagem)"
    r"|em breve (um[a]? |nossa? |o |a )?(\w+ ){0,4}(retorna|respond|atend|entrar|dar)(emos|remos|era|ara|a|ao|ra)\b"
    r"|(retornaremos|responderemos|entraremos em contato|atenderemos) (o mais breve|em breve|assim que|o quanto antes"
    r"|o mais rapido|no proximo)"
    r"|nao estamos disponiveis no momento|no momento (estamos fora|todos os)"
    r"|no momento nao (podemos|estamos) (te )?(atender|respond\w+|disponiveis)"
    r"|(nosso |o )?horario de (atendimento|funcionamento)( e| sera|:| de)|fora do (nosso )?horario de atendimento"
    r"|recebemos (a |o )?(sua|seu) (mensagem|contato|e-?mail|solicitacao)"
    r"|(seu|numero d[eo]) (protocolo|chamado|ticket) (e|foi|:)|deixe (a )?sua mensagem"
    r"|aguarde.{0,40}(atendente|atendimento|momento)"
    r"|thank(s| you) for (contacting|your message|reaching out|getting in)"
)
_MENU = (
    r"\b(digite|tecle)\b.{0,60}(\d|opc(ao|oes)|numero|palavra|letra)|responda com (o numero|a opcao|\d)"
    r"|(escolha|selecione) (o numero|uma? (das )?opc(ao|oes))|menu principal"
)
_TEXT = re.compile(rf"({_SAYS_SO}|{_AWAY}|{_GREETS}|{_MENU})", re.DOTALL)
_OPTION = re.compile(r"(?m)^[^\w\n]{0,4}[1-9][^\w\n]{1,6}[^\W\d].{1,40}$")
# Who says what they want, or do not want, is a person, whatever thanks they begin with.
_MEANT = re.compile(
    r"\binteress\w+|\borcamento\b|\bproposta\b|\breuniao\b|\bmas\b.{0,40}\b(nao|ja) |\bquanto custa|\bportf?olio\b"
    r"|\bnao (temos|tenho|precisamos|preciso|queremos|quero)\b"
    r"|\bme (chama|chame|procura|procure|manda|mande) (de novo |novamente )?(em|no|na|dia|depois|quando|a partir)\b"
)
_CERTAINLY = re.compile(rf"({_SAYS_SO}|{_MENU})", re.DOTALL)


def says_automatic(subject: str, words: str) -> str | None:
    """The words by which a machine gives itself away; `subject` is empty when the channel has none."""
    if match := _SUBJECT.match(plain(subject)):
        return match[0].strip()
    flat = re.sub(r"[^\S\n]+", " ", plain(words))
    pattern = _CERTAINLY if _MEANT.search(flat) else _TEXT
    if match := pattern.search(flat):
        return match[0][:200]
    options = _OPTION.findall(flat)
    return options[0].strip() if len(options) >= 3 else None
