"""The accounts at providers on an operator's page: named secrets, refusals in words, nothing deleted."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import Operator, Role
from tests.support.api import Frontend
from tests.support.desk import page_of, sign_in, text_of
from tests.support.factories import OperatorFactory, SlotFactory, add_account, make_client
from tests.support.sandbox_client import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(account=False)


class TestDesk:
    """The accounts on the page of an operator."""

    def form(self, operator: Operator, *rows: dict[str, Any]) -> dict[str, Any]:
        kept = operator.provider_accounts.count()
        found = {"name": operator.name, "slug": operator.slug, "timezone": operator.timezone, "currency": "USD",
                 "language": "en", "is_active": "on", "members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0",
                 "provider_accounts-TOTAL_FORMS": str(len(rows)),
                 "provider_accounts-INITIAL_FORMS": str(kept)}  # fmt: skip
        for number, row in enumerate(rows):
            given = {"operator": str(operator.pk), "provider": "stripe", "mode": "test", "is_active": "on"} | row
            found |= {f"provider_accounts-{number}-{name}": value for name, value in given.items()}
        return found

    def post(self, operator: Operator, *rows: dict[str, Any], desk: Client | None = None) -> str:
        desk = desk or sign_in(operator=None)
        return text_of(desk.post(page_of(operator), self.form(operator, *rows), follow=True))

    def test_registers_one_by_the_names_of_its_secrets(
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KAYAKS_API_KEY", "sk_test_never_shown")
        names = {"secret_name": "KAYAKS_API_KEY", "webhook_secrets_name": "KAYAKS_WEBHOOK_SECRETS"}
        desk = sign_in(operator=None)
        self.post(operator, {"reference": "acct_1", **names}, desk=desk)
        made = operator.provider_accounts.get()
        assert (made.provider, made.reference, made.mode, made.is_active) == ("stripe", "acct_1", "test", True)
        assert {name: getattr(made, name) for name in names} == names
        page = desk.get(page_of(operator)).content.decode()
        assert "KAYAKS_API_KEY" in page
        assert "sk_test_never_shown" not in page

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"reference": "acct_1", "mode": "live"}, "a live account of stripe cannot be used here"),
            ({"reference": "nonsense!"}, "letters, digits"),
            ({"reference": "cus_1"}, "The id of a Stripe account"),
            ({"reference": "acct_theirs"}, "an account is of one operator"),
            ({"reference": "acct_1", "secret_name": "sk_test_a"}, "The name of a variable"),
            ({"reference": "acct_1", "secret_name": "DATABASE_URL"}, "a secret of the installation itself"),
            ({"reference": "", "secret_name": "A_API_KEY"}, "must be named"),
            ({"provider": "paypal"}, "Select a valid choice"),
        ],
    )
    def test_refuses(self, operator: Operator, row: dict[str, str], said: str) -> None:
        OperatorFactory.create(account="acct_theirs")
        assert said in self.post(operator, row)
        assert not operator.provider_accounts.exists()

    def test_of_an_account_in_use_changes_only_what_may_change(self, operator: Operator, sandbox: Sandbox) -> None:
        account = add_account(operator, reference="acct_1")
        client, key = make_client(operator)
        Frontend(key, client).reserve(SlotFactory.create(activity__operator=operator))
        changed = {"id": str(account.pk), "reference": "acct_2", "mode": "live", "secret_name": "KAYAKS_API_KEY"}
        self.post(operator, {**changed, "is_active": ""})
        account.refresh_from_db()
        assert (account.reference, account.mode, account.is_active) == ("acct_1", "test", False)
        assert account.secret_name == "KAYAKS_API_KEY"

    def test_deletes_none(self, operator: Operator) -> None:
        account = add_account(operator, reference="acct_1")
        self.post(operator, {"id": str(account.pk), "reference": "acct_1", "DELETE": "on"})
        assert operator.provider_accounts.count() == 1

    def test_is_a_superusers(self) -> None:
        operator = OperatorFactory.create()
        owner = sign_in(operator=operator, role=Role.OWNER)
        assert owner.get(page_of(operator)).status_code == 403
        assert owner.get(reverse("admin:tenants_operator_changelist")).status_code == 403


class TestAnOperatorThatSellsNothing:
    SAID = "nothing: no account at a payment provider takes its sales"

    @pytest.mark.parametrize("way", ["none", "switched off"])
    def test_is_told_of_where_a_person_looks(self, way: str) -> None:
        selling = OperatorFactory.create(name="Selling")
        closed = OperatorFactory.create(name="Idle", account=False)
        if way == "switched off":
            add_account(closed, reference="acct_1", is_active=False)
        root = sign_in(operator=None)
        assert self.SAID in root.get(page_of(closed)).content.decode()
        page = root.get(page_of(selling)).content.decode()
        assert (self.SAID in page, "by stripe" in page) == (False, True)
        front = root.get("/admin/").content.decode()
        assert "Operators that sell nothing" in front
        (link,) = re.findall(r'href="([^"]*\?sells=no)"', front)
        listed = root.get(link).content.decode()
        assert ("Idle" in listed, "Selling" in listed) == (True, False)
        listed = root.get(link.replace("no", "yes")).content.decode()
        assert ("Idle" in listed, "Selling" in listed) == (False, True)
