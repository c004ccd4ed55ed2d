"""Access tokens: short-lived JWTs that only the auth functions sign and everybody verifies."""

import hashlib
import threading
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from .principals import Kind, Principal
from .roles import Role
from .sessions import ACCESS_TTL

ISSUER: Final = "somos"
# Whatever else these keys will ever sign is no access token, and no access token is anything else.
AUDIENCE: Final = "somos-api"
TYPE: Final = "at+jwt"
# Clocks of two machines differ a little; a token from further ahead is not ours.
_AHEAD: Final = 60.0
_ROUNDING: Final = 0.001
_REMEMBERED: Final = 4096
_CLAIMS: Final = ["sub", "role", "name", "sid", "iat", "exp", "iss", "aud"]
_END_OF_KEY: Final = "-----END PUBLIC KEY-----"


class InvalidToken(Exception):
    """Not a token of ours, or no longer one. The text is for logs, never for the caller."""


class TokenSigner:
    """Holds the private key; only functions of the auth module make one."""

    def __init__(self, private_key_pem: str) -> None:
        key = load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("SOMOS_JWT_PRIVATE_KEY is not an Ed25519 private key")
        self._key = key
        self._kid = _kid(key.public_key())

    def access(self, principal: Principal, now: datetime) -> str:
        """A token for a signed-in person, good for 15 minutes."""
        if not principal.is_person or principal.session_id is None:
            raise ValueError("only a signed-in person gets an access token")
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(principal.id),
            "role": principal.role.value,
            "name": principal.name,
            "sid": principal.session_id,
            # Fractions of a second tell a token from before a change of password from one right after it.
            "iat": now.timestamp(),
            "exp": (now + ACCESS_TTL).timestamp(),
        }
        if principal.client_company_id is not None:
            claims["company"] = str(principal.client_company_id)
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid, "typ": TYPE})


class TokenVerifier:
    """Checks tokens with one or more public keys in PEM, one after another while a key is being replaced.

    A signature that was checked once is remembered; the times are checked at every use.
    """

    def __init__(self, public_keys_pem: str) -> None:
        self._keys: dict[str, Ed25519PublicKey] = {}
        for block in public_keys_pem.split(_END_OF_KEY)[:-1]:
            key = load_pem_public_key((block.strip() + "\n" + _END_OF_KEY).encode())
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError("SOMOS_JWT_PUBLIC_KEY holds a key that is not Ed25519")
            self._keys[_kid(key)] = key
        if not self._keys:
            raise ValueError("SOMOS_JWT_PUBLIC_KEY holds no public key in PEM")
        self._seen: dict[str, tuple[Principal, float, float]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str, now: datetime) -> Principal:
        """Who the token speaks for, or InvalidToken."""
        known = self._seen.get(token)
        principal, issued, expires = known or self._check(token)
        moment = now.timestamp()
        if moment >= expires:
            self._seen.pop(token, None)
            raise InvalidToken("expired")
        if issued > moment + _AHEAD:
            raise InvalidToken("issued in the future")
        if known is None:
            self._remember(token, (principal, issued, expires))
        return principal

    def _check(self, token: str) -> tuple[Principal, float, float]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TYPE:
                raise InvalidToken("not an access token")
            key = self._keys.get(str(header.get("kid")))
            if key is None:
                raise InvalidToken("signed by an unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                audience=AUDIENCE,
                # The times are compared with our own clock, at every use.
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "strict_aud": True},
            )
            issued, expires = float(claims["iat"]), float(claims["exp"])
            if not 0 < expires - issued <= ACCESS_TTL.total_seconds() + _ROUNDING:
                raise InvalidToken("good for longer than we make any")
            company = claims.get("company")
            principal = Principal(
                id=UUID(claims["sub"]),
                role=Role(claims["role"]),
                kind=Kind.user,
                name=str(claims["name"]),
                session_id=str(claims["sid"]),
                client_company_id=None if company is None else UUID(company),
                issued_at=datetime.fromtimestamp(issued, UTC),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise InvalidToken(str(error)) from error
        return principal, issued, expires

    def _remember(self, token: str, checked: tuple[Principal, float, float]) -> None:
        with self._lock:
            while len(self._seen) >= _REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[token] = checked


@lru_cache(maxsize=8)
def verifier(public_keys_pem: str) -> TokenVerifier:
    """The process's verifier for these keys."""
    return TokenVerifier(public_keys_pem)


def new_keypair() -> tuple[str, str]:
    """A private and a public key in PEM, for a new installation."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def _kid(key: Ed25519PublicKey) -> str:
    """A key's name is its fingerprint: nothing to configure, nothing to mistype."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
