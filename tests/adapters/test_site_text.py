"""What is found on a page, however it is written."""

import pytest

from somos.adapters.sites.site_rules import SiteRules
from somos.adapters.sites.site_text import Page, read_page

URL = "http://agencia.com.br/sobre/"


def read(body: str | bytes, content_type: str = "text/html; charset=utf-8") -> Page:
    raw = body.encode() if isinstance(body, str) else body
    return read_page(URL, raw, content_type, SiteRules())


@pytest.mark.parametrize(
    "written",
    [
        "fale: oi@agencia.com.br.",
        '<a href="mailto:Oi@Agencia.com.br?subject=x">e-mail</a>',
        "oi [at] agencia.com.br",
        "oi(arroba)agencia.com.br",
        "oi arroba agencia.com.br",
        '<span data-cfemail="422d2b0223252720212b236c212d2f6c2030">[e-mail protegido]</span>',
    ],
)
def test_an_e_mail_in_any_writing(written: str) -> None:
    found = read(written).emails
    assert len(found) == 1
    assert found[0].startswith("oi@")


def test_addresses_that_are_nobody_s_are_not_found() -> None:
    body = "logo@2x.png seu@email.com abc123@sentry.io nome@example.com a@b.wixpress.com x@wixpress.com"
    assert read(body).emails == ["a@b.wixpress.com"]


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("Tel.: (11) 3222-1000", "+551132221000"),
        ("+55 11 99999-8888", "+5511999998888"),
        ("11 9 9999 8888", "+5511999998888"),
        ("0800 777 8000", "+558007778000"),
        ('<a href="tel:+5511999998888">ligue</a>', "+5511999998888"),
        ('<a href="https://wa.me/5511999998888?text=oi">zap</a>', "+5511999998888"),
        ('<a href="https://api.whatsapp.com/send?phone=5511999998888&text=oi">zap</a>', "+5511999998888"),
    ],
)
def test_a_phone_in_any_writing(written: str, phone: str) -> None:
    assert read(written).phones == [phone]


@pytest.mark.parametrize(
    "written", ["01310-100", "11.222.333/0001-81", "2026-11-23 12:00", "R$ 1.234.567,89", "1234567890"]
)
def test_other_numbers_are_no_phones(written: str) -> None:
    assert read(written).phones == []


@pytest.mark.parametrize("written", ["11.222.333/0001-81", "11222333000181", "11222333/0001-81"])
def test_a_valid_cnpj_is_found(written: str) -> None:
    assert read(f"CNPJ: {written}.").cnpjs == ["11222333000181"]


def test_letters_are_part_of_a_cnpj_and_wrong_digits_are_none() -> None:
    assert read("12.ABC.345/01DE-35 e 11.222.333/0001-82").cnpjs == ["12ABC34501DE35"]


def test_only_profiles_are_social_links() -> None:
    body = """<a href="https://www.facebook.com/sharer/sharer.php?u=x">s</a>
    <a href="https://instagram.com/p/Cxyz">post</a> <a href="https://instagram.com/">i</a>
    <a href="https://www.instagram.com/agencia/">ok</a> <a href="https://br.linkedin.com/company/agencia">ok</a>"""
    assert read(body).socials == {
        "instagram": "https://www.instagram.com/agencia",
        "linkedin": "https://br.linkedin.com/company/agencia",
    }


def test_the_text_is_what_a_person_sees_line_by_line() -> None:
    body = """<title>Agência</title><script>var x = "no"</script><style>p{}</style>
    <h1>Quem   somos</h1><p>Somos <b>64</b> pessoas.<br>Desde 2009</p><ul><li>Um</li><li>Dois</li></ul>"""
    page = read(body)
    assert page.title == "Agência"
    assert page.text == "Quem somos\nSomos 64 pessoas.\nDesde 2009\nUm\nDois"


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ("<p>Ação</p>".encode(), "text/html"),
        ("<p>Ação</p>".encode("latin-1"), "text/html"),
        ("<p>Ação</p>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ('<meta charset="iso-8859-1"><p>Ação</p>'.encode("latin-1"), "text/html"),
        ("<p>Ação</p>".encode(), "text/html; charset=nonsense"),
        ("<p>Ação</p>".encode("latin-1"), "text/html; charset=utf-8"),
    ],
)
def test_accents_survive_whatever_the_server_says(raw: bytes, content_type: str) -> None:
    assert read(raw, content_type).text == "Ação"


def test_what_the_database_cannot_hold_is_not_on_the_page() -> None:
    assert read(b"<title>A\x00</title><p>Oi\\ud83d!</p>", "text/html; charset=unicode_escape").text == "Oi!"


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", b"<" * 10_000, b"<a href='http://[::1'>x</a>", b"<a href=''>"])
def test_garbage_is_a_page_with_nothing_on_it(raw: bytes) -> None:
    page = read(raw, "text/html")
    assert (page.emails, page.phones, page.cnpjs) == ([], [], [])
