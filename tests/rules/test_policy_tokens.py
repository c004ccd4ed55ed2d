"""Access tokens: what they carry, who can make them, and that time is checked at every use."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from somos.policy import tokens
from somos.policy.principals import SYSTEM, Kind, Principal
from somos.policy.roles import Role
from somos.policy.tokens import TYPE, InvalidToken, TokenSigner, TokenVerifier, new_keypair

NOW = datetime(2026, 11, 23, 13, 0, 0, 250_000, tzinfo=UTC)
PRIVATE, PUBLIC = new_keypair()
ANA = Principal(uuid4(), Role.Comercial, Kind.user, "Ana Luíza", "sessão-1")
CLIENT = Principal(uuid4(), Role.Cliente, Kind.user, "Bia", "s", client_company_id=uuid4())


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner(PRIVATE)


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(PUBLIC)


@pytest.mark.parametrize("who", [ANA, CLIENT], ids=["seller", "client"])
def test_a_token_says_who_it_was_made_for(signer: TokenSigner, verifier: TokenVerifier, who: Principal) -> None:
    assert verifier.verify(signer.access(who, NOW), NOW) == replace(who, issued_at=NOW)


def test_a_token_is_good_for_fifteen_minutes_also_when_it_was_checked_before(
    signer: TokenSigner, verifier: TokenVerifier
) -> None:
    token = signer.access(ANA, NOW)
    assert verifier.verify(token, NOW + timedelta(minutes=14, seconds=59)).id == ANA.id
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token, NOW + timedelta(minutes=15))
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token, NOW + timedelta(minutes=15))


def test_a_token_from_the_future_is_refused_but_clocks_may_differ_a_little(
    signer: TokenSigner, verifier: TokenVerifier
) -> None:
    assert verifier.verify(signer.access(ANA, NOW + timedelta(seconds=30)), NOW)
    with pytest.raises(InvalidToken, match="future"):
        verifier.verify(signer.access(ANA, NOW + timedelta(seconds=90)), NOW)


def test_a_token_signed_with_another_key_is_refused(verifier: TokenVerifier) -> None:
    stranger = TokenSigner(new_keypair()[0])
    with pytest.raises(InvalidToken, match="unknown key"):
        verifier.verify(stranger.access(ANA, NOW), NOW)


def test_a_stranger_who_borrows_our_keys_name_is_refused(signer: TokenSigner, verifier: TokenVerifier) -> None:
    ours = jwt.get_unverified_header(signer.access(ANA, NOW))["kid"]
    forged = jwt.encode(
        claims(), TokenSigner(new_keypair()[0])._key, algorithm="EdDSA", headers={"kid": ours, "typ": TYPE}
    )
    with pytest.raises(InvalidToken):
        verifier.verify(forged, NOW)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_one_changed_character_anywhere_is_refused(signer: TokenSigner, verifier: TokenVerifier, part: int) -> None:
    parts = signer.access(ANA, NOW).split(".")
    middle = len(parts[part]) // 2
    changed = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + changed + parts[part][middle + 1 :]
    with pytest.raises(InvalidToken):
        verifier.verify(".".join(parts), NOW)


def test_a_token_without_signature_or_signed_with_the_public_key_as_a_password_is_refused(
    verifier: TokenVerifier, signer: TokenSigner
) -> None:
    kid = jwt.get_unverified_header(signer.access(ANA, NOW))["kid"]
    unsigned = jwt.encode(claims(), None, algorithm="none", headers={"kid": kid, "typ": TYPE})
    header = part({"alg": "HS256", "typ": TYPE, "kid": kid})
    for token in (unsigned, f"{header}.{part(claims())}.AAAA", "", "a.b.c", "x" * 5000):
        with pytest.raises(InvalidToken):
            verifier.verify(token, NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "Dono"},
        {"role": "system"},
        {"role": "Agente_IA"},
        {"sub": "ana"},
        {"iss": "outro"},
        {"aud": "somos-convite"},
        {"aud": ["somos-api", "outro"]},
        {"aud": None},
        {"exp": (NOW + timedelta(minutes=16)).timestamp()},
        {"exp": (NOW - timedelta(minutes=1)).timestamp()},
        {"exp": float("nan")},
        {"exp": "amanhã"},
        {"exp": None},
        {"iat": [1]},
        {"company": "acme"},
        {"sid": None},
    ],
)
def test_our_own_signature_over_wrong_claims_is_refused(
    signer: TokenSigner, verifier: TokenVerifier, wrong: dict[str, Any]
) -> None:
    made = {key: value for key, value in {**claims(), **wrong}.items() if value is not None}
    token = jwt.encode(made, signer._key, algorithm="EdDSA", headers={"kid": signer._kid, "typ": TYPE})
    with pytest.raises(InvalidToken):
        verifier.verify(token, NOW)


@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": "invite+jwt"}])
def test_something_else_that_our_key_signed_is_no_access_token(
    signer: TokenSigner, verifier: TokenVerifier, header: dict[str, str]
) -> None:
    token = jwt.encode(claims(), signer._key, algorithm="EdDSA", headers={"kid": signer._kid, **header})
    with pytest.raises(InvalidToken, match="not an access token"):
        verifier.verify(token, NOW)


def test_only_a_signed_in_person_gets_a_token(signer: TokenSigner) -> None:
    for who in (SYSTEM, replace(ANA, session_id=None)):
        with pytest.raises(ValueError, match="only a signed-in person"):
            signer.access(who, NOW)


def test_while_a_key_is_replaced_tokens_of_both_are_good() -> None:
    private, public = new_keypair()
    both = TokenVerifier(PUBLIC + "\n" + public)
    for key in (PRIVATE, private):
        assert both.verify(TokenSigner(key).access(ANA, NOW), NOW).id == ANA.id


def test_a_missing_or_wrong_key_is_said_at_once() -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    other = generate_private_key(SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="holds no public key"):
        TokenVerifier("")
    with pytest.raises(ValueError, match="not Ed25519"):
        TokenVerifier(public)
    with pytest.raises(ValueError, match="not an Ed25519"):
        TokenSigner(private)


def test_what_is_remembered_of_tokens_stays_bounded(
    signer: TokenSigner, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 10)
    made = [signer.access(replace(ANA, id=uuid4()), NOW) for _ in range(30)]
    for token in made:
        verifier.verify(token, NOW)
    assert len(verifier._seen) == 10
    assert tokens.verifier(PUBLIC).verify(made[0], NOW)


def claims() -> dict[str, Any]:
    return {
        "iss": "somos",
        "aud": "somos-api",
        "sub": str(ANA.id),
        "role": "Admin",
        "name": "Ana",
        "sid": "s",
        "iat": NOW.timestamp(),
        "exp": (NOW + timedelta(minutes=15)).timestamp(),
    }


def part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
