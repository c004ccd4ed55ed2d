"""What every endpoint does the same way: problems, keys, strictness, races."""

import threading

import pytest

from tests.harness.mesh import Answer, Mesh


def test_an_unknown_address_and_a_wrong_method_are_problems(toys: Mesh) -> None:
    toys.call("GET /toys/nothing").refused(404, "not-found")
    answer = toys.call("PUT /toys/notes")
    answer.refused(405, "method-not-allowed")
    assert answer.headers["Allow"] == "POST"


def test_without_credentials_the_answer_is_401_and_says_how(toys: Mesh) -> None:
    answer = toys.call("POST /toys/notes", {"text": "a"})
    answer.refused(401, "unauthorised")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_role_without_the_permission_is_refused(toys: Mesh) -> None:
    from somos.mesh.ids import uuid7

    cliente = toys.person("Cliente", client_company_id=uuid7())
    toys.call("POST /toys/notes", {"text": "a"}, as_=cliente).refused(403, "forbidden")


@pytest.mark.any_day
def test_a_token_is_refused_after_its_quarter_of_an_hour(toys: Mesh) -> None:
    diretor = toys.person("Diretor")
    toys.advance(minutes=16)
    toys.call("POST /toys/notes", {"text": "a"}, as_=diretor).refused(401)


def test_undeclared_fields_and_other_types_are_named_in_portuguese(toys: Mesh) -> None:
    problem = toys.call("POST /toys/notes", {"text": 7, "more": 1}, as_=toys.person()).refused(422, "invalid")
    assert {(e["field"], e["detail"]) for e in problem["errors"]} == {
        ("text", "Deve ser um texto"),
        ("more", "Campo desconhecido"),
    }


def test_a_body_that_is_not_json_and_one_that_is_no_object_are_refused(toys: Mesh) -> None:
    diretor = toys.person()
    for raw in ("{", "[]", "null", '"a"', ""):
        toys.call("POST /toys/notes", as_=diretor, data=raw, content_type="application/json").refused(422)
    toys.call("POST /toys/notes", as_=diretor, data="text=a", content_type="text/plain").refused(415)


def test_what_the_database_cannot_hold_is_left_out_of_what_people_send(toys: Mesh) -> None:
    diretor = toys.person()
    made = toys.call("POST /toys/notes", {"text": "a\x00b\ud83d"}, as_=diretor).ok()
    assert made["text"] == "ab"
    assert toys.one("select text from mesh.toy_notes") == "ab"


def test_an_id_that_is_no_id_is_not_found(toys: Mesh) -> None:
    toys.call("GET /toys/notes/12", as_=toys.person()).refused(404, "not-found")


def test_the_version_of_what_is_read_is_its_etag(toys: Mesh) -> None:
    diretor = toys.person()
    id = toys.call("POST /toys/notes", {"text": "a"}, as_=diretor).ok()["id"]
    assert toys.call(f"GET /toys/notes/{id}", as_=diretor).headers["ETag"] == '"1"'


@pytest.mark.any_day
def test_a_key_gives_the_same_answer_again_and_writes_once(toys: Mesh) -> None:
    diretor = toys.person()
    first = toys.call("POST /toys/notes", {"text": "a"}, as_=diretor, headers={"Idempotency-Key": "k1"})
    second = toys.call("POST /toys/notes", {"text": "a"}, as_=diretor, headers={"Idempotency-Key": "k1"})
    assert first.ok() == second.ok()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert toys.one("select count(*) from mesh.toy_notes") == 1
    assert toys.one("select count(*) from mesh.outbox") == 1


def test_a_key_used_with_another_body_is_a_conflict(toys: Mesh) -> None:
    diretor = toys.person()
    headers = {"Idempotency-Key": "k1"}
    toys.call("POST /toys/notes", {"text": "a"}, as_=diretor, headers=headers).ok()
    toys.call("POST /toys/notes", {"text": "b"}, as_=diretor, headers=headers).refused(409, "key-reused")


def test_keys_of_two_people_are_two_keys(toys: Mesh) -> None:
    for person in (toys.person(), toys.person()):
        toys.call("POST /toys/notes", {"text": "a"}, as_=person, headers={"Idempotency-Key": "k"}).ok()
    assert toys.one("select count(*) from mesh.toy_notes") == 2


@pytest.mark.parametrize("key", ["duas palavras", "ação", "x" * 256])
def test_a_key_is_up_to_255_visible_characters_as_the_openapi_says(toys: Mesh, key: str) -> None:
    headers = {"Idempotency-Key": key}
    refused = toys.call("POST /toys/notes", {"text": "a"}, as_=toys.person(), headers=headers).refused(422, "invalid")
    assert refused["errors"][0]["field"] == "Idempotency-Key"


def test_the_longest_key_is_taken(toys: Mesh) -> None:
    toys.call("POST /toys/notes", {"text": "a"}, as_=toys.person(), headers={"Idempotency-Key": "~" * 255}).ok()


def test_a_failed_request_frees_its_key(toys: Mesh) -> None:
    diretor = toys.person()
    headers = {"Idempotency-Key": "k1"}
    toys.call("POST /toys/notes", {"text": "a", "fail": True}, as_=diretor, headers=headers).refused(409, "asked-to")
    toys.call("POST /toys/notes", {"text": "a"}, as_=diretor, headers=headers).ok()


def test_twins_at_the_same_moment_write_once_and_get_one_answer(toys: Mesh) -> None:
    diretor = toys.person()
    answers: list[Answer] = []

    def post() -> None:
        answers.append(toys.call("POST /toys/notes", {"text": "a"}, as_=diretor, headers={"Idempotency-Key": "twin"}))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.ok()["id"] for answer in answers}) == 1
    assert toys.one("select count(*) from mesh.toy_notes") == 1
