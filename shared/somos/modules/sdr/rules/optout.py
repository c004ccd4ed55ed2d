"""Whether a text asks never to be written to again: for certain, perhaps, or not at all.

A certain one is for ever, so its words must leave no doubt; a doubtful one is held for a person. What the text denies
("não pare de mandar") and what it tells others to do ("digite SAIR") is no request.
"""

import re
from dataclasses import dataclass

from somos.modules.sdr.rules.own_words import paragraphs, plain, sentences


@dataclass(frozen=True, slots=True)
class Refusal:
    """The words that ask, in their `plain` form, and whether they leave no doubt."""

    quote: str
    certain: bool


def refusal_in(text: str) -> Refusal | None:
    """The clearest refusal that a text holds."""
    flat = _spelt_out(_joined_letters(plain(text)))
    refusals = [*_by_phrase(flat), *_by_keyword(flat)]
    return next((refusal for refusal in refusals if refusal.certain), refusals[0] if refusals else None)


def is_polite_only(text: str) -> bool:
    """A greeting or thanks, and nothing else."""
    return all(word in _POLITE for word in _words(plain(text)))


# --- single words ---------------------------------------------------------------------------------------

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "parar pare parem sair sai sairei remover remova removam remove descadastrar descadastre descadastrem"
        " descadastro descadastrem descadastramento stop unsubscribe cancelar cancela cancele cancelem retirar"
        " retirem excluir exclua excluam remocao exclusao desinscrever desinscreva optout saia saiam bloquear",
    )
)
# Around a keyword these add nothing: "quero sair da lista, por favor".
_POLITE = frozenset(
    re.findall(
        r"\w+",
        "por favor pf pfv pfvr fvr please quero queria gostaria desejo preciso de me da do dos das desta dessa deste"
        " desse sua seu lista listas contato contatos base cadastro inscricao mailing obrigado obrigada obg grato grata"
        " gentileza isso isto as os a o mensagem mensagens mim eu ja agora e ok imediatamente urgente bom boa dia tarde"
        " noite ola oi oii prezado prezada prezados prezadas caro caros senhor senhores atenciosamente att abs tudo bem"
        " thanks thank you hi hello email emails this thread all tudo todos",
    )
)
_ENTHUSIASM = re.compile(
    r"\b(adorei|amei|adoramos|gostei|gostamos|otim[oa]|incrivel|sensacional|parabens|legal|show|(?<!nao )t(e|enho|emos)"
    r" interesse|vamos (marcar|conversar|falar)|quero (saber|conhecer|ver|conversar)|amazing|love|great|awesome)\b"
)
_NEGATED_WORD = re.compile(r"\b(nao|nem|nunca|jamais|sem|dont|don't|do not|never)\b")
_MAX_WORDS = 8
# One letter off, these are other words that people do answer with.
_OTHER_WORDS = frozenset(re.findall(r"\w+", "pagar parada varar variar remoto removi cancelou"))


def _by_keyword(flat: str) -> list[Refusal]:
    own_sentences = [sentence for sentence in sentences(flat) if sentence and not is_polite_only(sentence)]
    if any(_is_instruction(sentence) for sentence in own_sentences):
        return []
    refusals: list[Refusal] = []
    for sentence in own_sentences:
        words = _words(sentence)
        if len(words) > _MAX_WORDS or _NEGATED_WORD.search(sentence):
            continue
        keys = [word for word in words if _is_keyword(word)]
        if keys and all(_is_keyword(word) or word in _POLITE for word in words):
            doubt = len(own_sentences) > 1 and _ENTHUSIASM.search(flat)
            question = re.search(re.escape(sentence) + r"\s*\?", flat)
            refusals.append(Refusal(" ".join(words), certain=not (doubt or question)))
    alone = [word for word in _words(flat) if word not in _POLITE]
    if not refusals and len(alone) == 1 and _is_nearly_keyword(alone[0]):
        refusals.append(Refusal(alone[0], certain=False))
    return refusals


def _words(flat: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", flat.replace("e-mail", "email"))


def _squeezed(word: str) -> str:
    """`parrar` and `paraaar` as `parar`: a letter counts once however often it is repeated."""
    return re.sub(r"(.)\1+", r"\1", word)


_SQUEEZED = frozenset(_squeezed(word) for word in _KEYWORDS)


def _is_keyword(word: str) -> bool:
    return word in _KEYWORDS or _squeezed(word) in _SQUEEZED


def _is_nearly_keyword(word: str) -> bool:
    """One letter missing, added, changed or swapped in a word long enough to tell."""
    if word == "para":
        return True
    return word not in _OTHER_WORDS and any(
        len(key) >= 5 and key[0] == word[0] and (_one_slip(word, key) or _one_slip(_squeezed(word), key))
        for key in _SQUEEZED
    )


def _one_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, target = one[start:], other[start:]
    swapped = len(rest) > 1 and len(target) > 1 and rest[0] == target[1] and rest[1] == target[0]
    return rest[1:] in (target, target[1:]) or rest == target[1:] or (swapped and rest[2:] == target[2:])


def _joined_letters(flat: str) -> str:
    """`p a r a r` and `p.a.r.a.r` as `parar`."""
    return re.sub(
        r"(?<![a-z0-9])[a-z](?:[ .\-_*]{1,2}[a-z]){3,}(?![a-z0-9])", lambda m: re.sub(r"[^a-z]", "", m[0]), flat
    )


_SHORT = {
    "nao": re.compile(r"\b(n|nn|naum|num)(?= (me|nos|mais|quero|qro|mand|envi|autoriz|desej|lig))"),
    "quero": re.compile(r"\b(qro|qr|kero)\b"),
}


def _spelt_out(flat: str) -> str:
    """What people shorten when they type on a telephone."""
    for word, short in _SHORT.items():
        flat = short.sub(word, flat)
    return flat


# --- phrases --------------------------------------------------------------------------------------------

_WHAT = (
    r"(mensage(m|ns)|msgs?|nada|isso|isto|essas?|esses?|estas?|e-?mails?|whats(app)?|zap|propagandas?|spam|ofertas?"
    r"|conteudos?|divulgac\w+|publicidade|newsletters?|contato|coisas?)"
)
_SEND = (
    r"((mand|envi|encaminh|contat|contact|perturb|incomod|importun)(e|a|ar|em|arem)|escrev(a|am|er|erem)"
    r"|entr(e|ar|em|arem) em contato)"
)
_WRITE = rf"({_SEND}|lig(ue|uem|a|ar|arem))"
_REACH = rf"({_WRITE}|(procur|cham)(e|a|ar|em|arem))"
_OUR_LIST = (
    r"(lista(s|gem)?|base|cadastros?|mailing|contatos|banco de dados|agenda|transmissao|newsletter|grupo|sistema)"
)
_MINE = (
    r"(numero|contatos?|e-?mails?|enderecos?( de e-?mail)?|telefones?|celular|whats(app)?|zap|cadastro|dados"
    r"|inscricao|empresa)"
)
_TAKE_OUT = (
    r"((tir|retir|delet|elimin|descadastr)(a|ar|e|em|arem)|(remov|desinscrev)(a|am|e|er|erem)|exclu(a|am|i|ir|irem)"
    r"|(apag|risc)(a|ar|arem|ue|uem|que|quem)|bloque(ia|ar|ie|iem|arem))"
)
# These deny something by themselves.
_DENIALS = re.compile(
    rf"\b(nao (me |nos )?(mais )?{_SEND}( mais)?( (mais )?({_WHAT}\b|esse tipo)| mais$|$)"
    rf"|nao (me|nos) {_REACH} (mais|novamente|de novo|nunca mais)\b"
    r"(?! (tarde|cedo|adiante|um|uma|detalhe|(pra|para) frente))"
    r"|nao (entrem?|entrar) (mais |novamente )?em contato"
    r"|nao (quero|queremos|desejo|desejamos|gostaria(mos)? de|aceito|aceitamos|pretendo) (mais )?"
    r"(receber|ser (contatad|contactad|incomodad|perturbad|procurad)[oa]s?|saber de voces|(o )?contato( de voces)?$)"
    rf"|nao (quero|queremos|desejo) (mais )?{_WHAT}\b"
    rf"|nao (quero|queremos|desejo|desejamos) (mais )?que (voces? )?(me|nos) {_REACH}"
    r"|nao t(enho|emos) (mais )?interesse em (continuar )?receb(er|endo) (mais|ess[ea]s?|est[ea]s?|e-?mails?|mensagens)"
    rf"|nunca mais (me |nos )?{_REACH}"
    r"|nao (autoriz(o|ei|amos)|consinto|consentimos|permit(o|i|imos)|concord(o|ei|amos) com|d(ei|emos|ou)"
    r"|conced(i|o|emos)) .{0,30}\b(meus dados|nossos dados|dados pessoais|contatos?|consentimento|envios?|mensagens"
    r"|e-?mails?|comunicac\w+)"
    r"|nao (quero |desejo )?receber mais|no (quiero|deseo) recibir|no me (envien|escriban|llamen|contacten)"
    r"|(me|nos) deix(e|a|em) em paz|nao (mais )?insist(a|am|e)\b|nao (me |nos )?ench(a|am|e)\b"
    r"|(me|nos) esque(ca|cam|ce)\b"
    r"|(do not|don't|dont|never) (ever )?(contact|e-?mail|message|text|call|write( to)?|send|mail) (me|us|any)\b"
    r"|(do not|don't|dont|no longer) (wish|want) (to )?(receive|be contacted|get|hear from)"
    r"|no more (e-?mails?|messages|contact))"
)
# These ask for something, and mean the opposite after a "não".
_REQUESTS = re.compile(
    rf"\b((para (de |com )|(par(e|em|ar|arem)|(deix|cess)(e|em|ar|arem)|interromp(a|am|er)) (imediatamente )?"
    rf"(de |com |o |os |a |as ))(me |nos )?({_WRITE}|encher|receber|insistir|spam|envios?|contatos?|mensagens|e-?mails?"
    rf"|isso|propagandas?)\b"
    rf"|{_TAKE_OUT}[- ]?(o |a |os |as |todos os |quaisquer )?(meus?|minhas?|noss[oa]s?|ess[ea]s?|est[ea]s?) {_MINE}\b"
    rf"(?! (do|da|dos|das|no|na) (video|filme|site|contrato|creditos|nota))"
    rf"|{_TAKE_OUT}[- ]?(me|nos|lo|la| eu)?( (o |a |os |as )?(meus?|minhas?|noss[oa]s?) \w+)?"
    rf" (d(a|as|e|o|os|essa|esta|esse|este)) "
    rf"(sua |suas |seu |seus |vossa )?{_OUR_LIST}\b"
    rf"|(me|nos) {_TAKE_OUT} (daqui|dai|disso|d(a|e|o|essa|esta|esse|este) |$|por favor|ja$|imediatamente|logo)"
    rf"|{_TAKE_OUT}-(me|nos)\b"
    r"|(quero|queria|queremos|gostaria(mos)? de|desej(o|amos)|preciso|peco para|pedimos para) (me descadastrar"
    r"|ser (removid|retirad|excluid|descadastrad|desinscrit)[oa]s?"
    rf"|sair d(a|e|o|essa|esta|esse|este) (sua |seu )?{_OUR_LIST})\b"
    rf"|(sair|saia|remocao|exclusao|retirada|descadastr\w+|eliminacao|cancelamento) d(a|e|o|as|os|essa|esta|esse|este) "
    rf"(sua |seu |meus? |minha |noss[oa]s? )?({_OUR_LIST}|{_MINE}|recebimento|envio)\b"
    r"|cancel(ar|a|e|em) (a |o |minha |meu |essa |esta |esse |este |os |nossa )?"
    r"(inscricao|assinatura|recebimento|envios?|newsletter)\b"
    r"|(revog|retir)(o|amos|ar) (o |a )?(meu|nosso|minha|nossa)? ?(consentimento|autorizacao)"
    r"|(me oponho|nos opomos|oposicao|direito de oposicao) ao? (tratamento|uso|contato)"
    r"|opt(ing)?[ -]?out|unsubscribe|des(cadastr|inscrev)\w+"
    r"|stop (e-?mailing|contacting|sending|messaging|texting|calling|writing)"
    r"|(remove|delete) (me|us|my|this e-?mail)\b|take (me|us|my \w+) off"
    r"|dejar de recibir|(darme|dar|denme) de baja|dar baixa (no|do) (meu|nosso) (cadastro|contato|e-?mail))"
)
# Angry or formal, without asking: a person looks at it before anything else leaves.
_GRAVE = re.compile(
    r"\b(lgpd|13\.?709|anpd|procon|reclame aqui|protecao de dados|denunci\w+|spam(m?ers?)?|chega de \w+|basta de \w+"
    r"|vou (te |os |voces )?bloquear|(te|ja) bloqueei|medidas (legais|judiciais|cabiveis)"
    r"|process(ar|o) (voces|judicial)|nao quero mais( nada)?$|nao autoriz(o|ei|amos)$|report(ing|ed)? (you|this|as)"
    r"|nao (me |nos )?lig(ue|uem|a|ar)$|^(ja )?(chega|basta)$)\b"
)
_AUXILIARIES = (
    r"(me|nos|quero|queria|queremos|quis|precisa|precisam|preciso|vou|vamos|va|pretendo|pretendemos|deve|devem|desejo"
    r"|gostaria|de|ha|necessidade|necessario|e|para|pense|penso|em|tem|por|que|favor|jamais|mais|nunca|please|ever|want"
    r"|to|need|voce|voces|ser|precisar)"
)
_DENIED = re.compile(rf"\b(nao|nem|nunca|jamais|sem|don't|dont|do not|never|not)( {_AUXILIARIES})*$")
_CONDITION = re.compile(r"^(e )?(se|caso|quando|if|when)\b")
# A limit, or another way that suits them better.
_LIMIT = (
    r"prefiro|preferimos|ate|so|somente|apenas|antes|only|until"
    r"|(mand|envi|cham|lig|fal|escrev)\w* (comigo )?(no|pelo|pela|via) (meu |seu )?"
    r"(whats\w*|zap|telefone|celular|e-?mail)"
)
_HEDGED_REQUEST = re.compile(rf"\b({_LIMIT})\b")
_HEDGED_DENIAL = re.compile(
    rf"\b({_LIMIT}|hoje|agora|ainda|por enquanto|por ora|neste momento|fora do|de (manha|tarde|noite)|yet)\b"
)
_INSTRUCTION = re.compile(
    r"\b(digit(e|ar|ando)|tecl(e|ar)|selecion(e|ar)|escolh(a|er)|acess(e|ar)|clique|clicar|clicando|click"
    r"|respond(a|er|endo) (com |a |est[ea] |ess[ea] |ao )?[\"']?(sair|parar|stop|remover|sim|nao|est[ea]|e-?mail)"
    r"|(envie|mande) (a palavra|sair|parar|stop)|reply (stop|with|to this)|text stop|type)\b"
)


def _by_phrase(flat: str) -> list[Refusal]:
    whole = [" ".join(block.split("\n")) for block in paragraphs(flat)]
    own_sentences = dict.fromkeys(s for text in (*whole, flat) for s in sentences(text) if s and not _is_instruction(s))
    return [refusal for sentence in own_sentences if (refusal := _phrase_of(sentence))]


def _phrase_of(sentence: str) -> Refusal | None:
    doubt: Refusal | None = None
    clauses = [clause.strip() for clause in sentence.split(",")]
    joined = re.sub(r"[ ,]+", " ", sentence)
    for clause in (*clauses, joined):
        for pattern, hedge in ((_DENIALS, _HEDGED_DENIAL), (_REQUESTS, _HEDGED_REQUEST)):
            for match in pattern.finditer(clause):
                if pattern is _REQUESTS and _DENIED.search(clause[: match.start()].rstrip()):
                    continue
                after = joined[joined.find(match[0]) + len(match[0]) :]
                if _CONDITION.match(sentence) or hedge.search(after):
                    doubt = doubt or Refusal(match[0].strip(), certain=False)
                else:
                    return Refusal(match[0].strip(), certain=True)
    if doubt is None and (grave := _GRAVE.search(joined)):
        doubt = Refusal(grave[0].strip(), certain=False)
    return doubt


def _is_instruction(sentence: str) -> bool:
    return bool(_INSTRUCTION.search(sentence))
