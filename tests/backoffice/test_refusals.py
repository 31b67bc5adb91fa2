"""What the database refuses after a form was checked is said to the person: it is no error page."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from adminkit.pages import ScopedAdmin
from catalogue.models import Activity, Rate
from tenants.models import Member, Operator, Role, User
from tests.support.desk import page_of, prices, rates, sign_in
from tests.support.factories import ActivityFactory
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)

THERE = "This already exists"


@pytest.fixture
def activity() -> Activity:
    return ActivityFactory.create(currency="EUR")


def post(client: Client, path: str, form: dict[str, str]) -> tuple[int, str]:
    """Post a form; returns the status of the page that follows, and the page."""
    client.raise_request_exception = False
    answer = client.post(path, form, follow=True)
    return answer.status_code, answer.content.decode()


class TestTwice:
    def test_a_form_that_says_it_had_no_rows(self, activity: Activity) -> None:
        form = rates(activity, adult="46.00", child="21.00") | {"rates-INITIAL_FORMS": "-1"}
        status, page = post(sign_in(operator=activity.operator), page_of(activity), form)
        assert (status, THERE in page) == (200, True)
        assert prices(activity) == {"adult": 4500, "child": 2000}

    def test_two_who_add_the_same_price_at_once(self, activity: Activity, monkeypatch: pytest.MonkeyPatch) -> None:
        save, both = ScopedAdmin.save_formset, threading.Barrier(2, timeout=60)

        def save_together(self: Any, *given: Any, **known: Any) -> None:
            both.wait()
            save(self, *given, **known)

        monkeypatch.setattr(ScopedAdmin, "save_formset", save_together)
        form = rates(activity, adult="45.00", child="20.00", senior="25.00")
        clients = [sign_in(operator=activity.operator), sign_in(operator=None)]
        answers = race([partial(post, client, page_of(activity), form) for client in clients])
        assert sorted(status for status, _ in answers) == [200, 200]
        assert sum(THERE in page for _, page in answers) == 1
        assert prices(activity) == {"adult": 4500, "child": 2000, "senior": 2500}

    def test_a_page_of_another_app(self, activity: Activity, monkeypatch: pytest.MonkeyPatch) -> None:
        """Members of an operator: the form has let a second place of the same person pass."""
        person = User.objects.create_user("gil")
        operator: Operator = activity.operator
        form = {"name": "Kayaks anew", "slug": operator.slug, "timezone": operator.timezone, "currency": "EUR",
                "language": operator.language, "members-INITIAL_FORMS": "0", "members-TOTAL_FORMS": "1",
                "members-0-user": str(person.pk), "members-0-role": Role.AGENT,
                "provider_accounts-INITIAL_FORMS": "0", "provider_accounts-TOTAL_FORMS": "0"}  # fmt: skip
        save = ScopedAdmin.save_formset

        def be_second(self: Any, *given: Any, **known: Any) -> None:
            race([lambda: Member.objects.create(user=person, operator=operator, role=Role.OWNER)])
            save(self, *given, **known)

        monkeypatch.setattr(ScopedAdmin, "save_formset", be_second)
        status, page = post(sign_in(operator=None), page_of(operator), form)
        assert (status, THERE in page) == (200, True)
        operator.refresh_from_db()
        assert operator.name != "Kayaks anew"
        assert operator.members.get().role == Role.OWNER


def test_a_refusal_that_nobody_has_words_for_is_a_fault_of_ours(
    activity: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_(self: Any, *given: Any, **known: Any) -> None:
        Rate.objects.filter(activity=activity).update(amount=-1)

    monkeypatch.setattr(ScopedAdmin, "save_formset", break_)
    client = sign_in(operator=activity.operator)
    with pytest.raises(IntegrityError, match="amount"):
        client.post(page_of(activity), rates(activity, adult="45.00", child="20.00"))
