"""Passwords: what is accepted, how they are kept, and that nothing of it tells who exists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somos.policy.keys import hash_of, is_key, new_key
from somos.policy.passwords import WeakPassword, check_strength, hash_password, is_outdated, verify_password

COST = 4


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_only_the_password_itself_matches_however_long_or_strange(password: str, other: str) -> None:
    kept = hash_password(password, COST)
    assert verify_password(password, kept, COST)
    assert verify_password(other, kept, COST) is (_same(password) == _same(other))


def _same(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", text)


def test_what_comes_after_the_72nd_byte_counts() -> None:
    kept = hash_password("a" * 72 + "certo", COST)
    assert not verify_password("a" * 72 + "errado", kept, COST)


def test_an_accent_matches_however_the_keyboard_composes_it() -> None:
    assert verify_password("senha do João", hash_password("senha do João", COST), COST)


@pytest.mark.parametrize("stored", [None, "!", ""])
def test_an_account_without_a_password_matches_nothing(stored: str | None) -> None:
    assert not verify_password("nobody", stored, COST)


def test_an_unknown_account_costs_as_much_work_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import bcrypt

    checked: list[bytes] = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda password, hashed: checked.append(hashed) or real(password, hashed))
    verify_password("qualquer", None, COST)
    verify_password("qualquer", hash_password("certa e longa", COST), COST)
    assert [hashed.split(b"$")[2] for hashed in checked] == [b"04", b"04"]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("curta", "pelo menos 10"),
        ("x" * 201, "no máximo 200"),
        ("abababababab", "repete"),
        ("Ana@Somos.example", "nem o seu e-mail"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_the_reason(password: str, reason: str) -> None:
    with pytest.raises(WeakPassword, match=reason):
        check_strength(password, about=("ana@somos.example", "Ana"))


def test_a_hash_made_with_less_work_is_made_anew() -> None:
    kept = hash_password("uma senha boa", COST)
    assert is_outdated(kept, COST + 1)
    assert not is_outdated(kept, COST)


def test_a_key_is_random_recognisable_and_not_kept() -> None:
    first, second = new_key(), new_key()
    assert first.secret != second.secret
    assert is_key(first.secret)
    assert not is_key("eyJhbGciOi")
    assert hash_of(first.secret) == first.hash
    assert first.secret.startswith(first.hint)
    assert len(first.secret) >= 45
    assert first.secret not in repr(first)
