"""Queries, forms, cookies and addresses of the desk come in through the same place as the API's text."""

import pytest
from django.test import Client

from adminkit.models import SavedView
from tenants.models import User
from tests.support.desk import sign_in
from tests.support.factories import OperatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    client = sign_in(operator=OperatorFactory.create())
    client.raise_request_exception = False
    return client


class TestDesk:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("q=a%00b", "q: Null characters"),
            ("%00=x", "\ufffd: Null characters"),
            ("q=%ED%A0%80", "not text in UTF-8"),
            ("q=%FF", "not text in UTF-8"),
            ("q=" + "x" * 2_001, "q: This has 2001 characters; at most 2000 are allowed."),
        ],
    )
    def test_a_query_is_refused_with_words(self, desk: Client, query: str, words: str) -> None:
        for page in ("/admin/booking/reservation/", "/admin/search/", "/admin/"):
            answer = desk.get(f"{page}?{query}")
            assert (answer.status_code, words in answer.content.decode()) == (400, True)

    def test_a_form_is_refused_with_words_and_nothing_is_stored(self, desk: Client) -> None:
        for body, words in (
            ({"name": "a\0b", "query": "q=x"}, "name: Null"),
            ({"name": "a", "query": "q=a\0b"}, "query: Null"),
            ({"name": "a", "qu\0ery": "x"}, "Null"),
            ({"name": "a", "query": "x" * 20_001}, "query: This has 20001 characters; at most 20000"),
        ):
            for kind in ({}, {"content_type": "application/x-www-form-urlencoded"}):
                sent = (
                    "&".join(f"{name}={value}" for name, value in body.items()).replace("\0", "%00") if kind else body
                )
                answer = desk.post("/admin/catalogue/slot/save-view/", sent, **kind)  # type: ignore[arg-type]
                assert (answer.status_code, words in answer.content.decode()) == (400, True)
        broken = desk.post(
            "/admin/catalogue/slot/save-view/", b"name=%FF&query=x", content_type="application/x-www-form-urlencoded"
        )
        assert broken.status_code == 400
        assert SavedView.objects.count() == 0

    def test_a_cookie_is(self, desk: Client) -> None:
        for cookie in ('sessionid="abcdefgh\\000"', 'csrftoken="\\000"'):
            answer = Client(raise_request_exception=False, headers={"Cookie": cookie}).get("/admin/")
            assert answer.status_code == 400

    def test_an_address_is(self, desk: Client) -> None:
        for path in (
            "/admin/catalogue/slot/%00/change/",
            "/admin/sweeps/sweeprun/a%00b/change/",
            "/webhooks/stripe/a%00b",
        ):
            assert desk.post(path).status_code == 400

    def test_a_stranger_is_answered_too(self) -> None:
        answer = Client(raise_request_exception=False).post("/admin/login/", {"username": "a\0", "password": "x"})
        assert answer.status_code == 400
        assert not User.objects.exists()

    @pytest.mark.parametrize("text", ["x" * 2_000, "\ufdfa" * 2_000, "🙂" * 500, "a'b\\c:*&|!()<->", "%", "9" * 400])
    def test_a_search_finds_nothing_and_is_no_fault(self, desk: Client, text: str) -> None:
        assert desk.get("/admin/booking/reservation/", {"q": text}).status_code == 200
        assert desk.get("/admin/search/", {"s": text}).status_code == 200

    def test_what_a_person_may_type_is_taken(self, desk: Client) -> None:
        desk.post("/admin/catalogue/slot/save-view/", {"name": "Ünïcode 🙂", "query": "q=x"})
        assert SavedView.objects.get().name == "Ünïcode 🙂"
