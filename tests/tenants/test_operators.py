"""The form of an operator, and what its row holds whatever writes it."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tenants.models import Operator
from tests.support.desk import page_of, sign_in
from tests.support.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {"name": "Kayaks", "slug": "kayaks", "timezone": "Europe/Lisbon", "currency": "EUR", "language": "en"}
NOBODY = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
NO_ACCOUNT = {"provider_accounts-TOTAL_FORMS": "0", "provider_accounts-INITIAL_FORMS": "0"}


@pytest.fixture
def root(settings: Settings) -> Client:
    settings.HOLD_CEILING_SECONDS = 3600
    return sign_in(operator=None)


def post(root: Client, path: str, **given: str) -> Any:
    return root.post(path, {**FIELDS, **NOBODY, **NO_ACCOUNT, "is_active": "on", **given}, follow=True)


class TestForm:
    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("hold_ttl_seconds", "3601", "A hold lives 3600 seconds at most"),
            ("hold_ttl_seconds", "0", "greater than or equal to 1"),
            ("hold_ttl_seconds", "-5", "greater than or equal to"),
            ("hold_ttl_seconds", "1.5", "Enter a whole number"),
            ("hold_ttl_seconds", "9" * 30, "A hold lives 3600 seconds at most"),
            ("currency", "XXX", "currency"),
            ("timezone", "Lisbon", "is not an IANA time zone"),
            ("slug", "a b", "Enter a valid"),
        ],
    )
    def test_refuses(self, root: Client, field: str, value: str, said: str) -> None:
        answer = post(root, reverse("admin:tenants_operator_add"), **{field: value})
        assert said in answer.content.decode()
        assert not Operator.objects.exists()

    def test_takes_a_hold_up_to_the_ceiling(self, root: Client) -> None:
        post(root, reverse("admin:tenants_operator_add"), hold_ttl_seconds="3600")
        operator = Operator.objects.get()
        assert operator.hold_ttl_seconds == 3600
        post(root, page_of(operator), hold_ttl_seconds="3601")
        operator.refresh_from_db()
        assert operator.hold_ttl_seconds == 3600
        post(root, page_of(operator), hold_ttl_seconds="")
        operator.refresh_from_db()
        assert operator.hold_ttl_seconds is None


class TestRow:
    @pytest.mark.parametrize("wrong", [{"hold_ttl_seconds": 0}, {"language": "xx"}], ids=str)
    def test_cannot_hold(self, wrong: dict[str, Any]) -> None:
        operator = OperatorFactory.create()
        with pytest.raises(IntegrityError, match="operator_"), transaction.atomic():
            Operator.objects.filter(pk=operator.pk).update(**wrong)
