"""Accounts at providers: of one operator, of one mode, one for new sales, and kept as they are once money moved."""

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import Settings

from booking import execution
from booking.models import Reservation
from payments import accounts, credentials
from payments.models import Command, Mode, Payment, ProviderAccount
from reconciliation.accounts import Account, list_accounts
from tenants.models import Operator
from tests.support import pooling, providers, stripe_events
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, add_account, make_client
from tests.support.sandbox_client import Sandbox
from tests.support.threads import race

pytestmark = pytest.mark.django_db(transaction=True)

INTENT = {"amount": 4500, "currency": "USD"}


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(account=False)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take connections from a pool, as a web process does."""
    with pooling.in_use(monkeypatch):
        yield


def frontend(operator: Operator) -> Frontend:
    client, key = make_client(operator)
    return Frontend(key, client)


class TestOwner:
    def test_of_an_account_is_one_operator_whoever_is_first(self, operator: Operator) -> None:
        other = OperatorFactory.create(account=False)

        def add(owner: Operator) -> str:
            try:
                accounts.add(operator=owner, provider="stripe", reference="acct_both")
            except ValidationError as error:
                return " ".join(error.messages)
            return "added"

        answers = race([lambda: add(operator), lambda: add(other)])
        assert sorted(answers) == ["This account is registered already; an account is of one operator.", "added"]
        assert ProviderAccount.objects.count() == 1

    def test_without_the_index_both_would_have_it(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        """The control: who asks first whether it is free is told yes by both."""
        other = OperatorFactory.create(account=False)
        asked = threading.Barrier(2)
        clean = ProviderAccount.full_clean

        def at_once(account: ProviderAccount, *args: Any, **given: Any) -> None:
            clean(account, *args, **given)
            asked.wait(timeout=30)

        monkeypatch.setattr(ProviderAccount, "full_clean", at_once)
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'account_once'")
            (index,) = cursor.fetchone()
            cursor.execute("DROP INDEX account_once")
        both = [
            partial(accounts.add, operator=each, provider="stripe", reference="acct_x") for each in (operator, other)
        ]
        try:
            race(both)
            assert ProviderAccount.objects.filter(reference="acct_x").count() == 2
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE payments_provideraccount DISABLE TRIGGER USER")
                cursor.execute("DELETE FROM payments_provideraccount WHERE reference = 'acct_x'")
                cursor.execute("ALTER TABLE payments_provideraccount ENABLE TRIGGER USER")
                cursor.execute(index)
        asked.reset()
        with pytest.raises(ValidationError, match="registered already"):
            race(both)
        assert ProviderAccount.objects.filter(reference="acct_x").count() == 1

    def test_of_one_reference_at_two_providers_may_differ(self, operator: Operator) -> None:
        add_account(operator, reference="1234")
        add_account(OperatorFactory.create(account=False), reference="1234", provider="another")
        assert ProviderAccount.objects.filter(reference="1234").count() == 2

    def test_the_platforms_account_is_everybodys(self, operator: Operator) -> None:
        accounts.add(operator=operator, provider="stripe")
        accounts.add(operator=OperatorFactory.create(account=False), provider="stripe")
        with pytest.raises(ValidationError, match="has the platform's account"):
            accounts.add(operator=operator, provider="stripe", is_active=False)

    def test_takes_new_sales_through_one_account_of_a_provider(self, operator: Operator) -> None:
        first = accounts.add(operator=operator, provider="stripe", reference="acct_1")
        with pytest.raises(ValidationError, match="switch the other one off first"):
            accounts.add(operator=operator, provider="stripe", reference="acct_2")
        accounts.add(operator=operator, provider="stripe", reference="acct_2", is_active=False)
        with pytest.raises(IntegrityError, match="account_takes_sales_once"):
            ProviderAccount.objects.exclude(pk=first.pk).update(is_active=True)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"provider": "paypal"}, "There is no provider of this name"),
            ({"reference": "sk_live_key"}, "The id of a Stripe account"),
            ({"reference": "acct_"}, "The id of a Stripe account"),
            ({"reference": "acct_1/2"}, "The id of a Stripe account"),
            ({"reference": "", "secret_name": "KAYAKS_API_KEY"}, "must be named"),
            ({"webhook_secrets_name": "KAYAKS_WEBHOOK_SECRETS"}, "needs a key of its own"),
            ({"secret_name": "sk_test_123"}, "The name of a variable"),
            ({"secret_name": "STRIPE_API_KEY"}, "a secret of the installation itself"),
            ({"secret_name": "SECRET_KEY"}, "a secret of the installation itself"),
            ({"secret_name": "OTHER_API_KEY"}, "a key is of one account"),
            ({"secret_name": "A_KEY", "webhook_secrets_name": "OTHER_WEBHOOK_SECRETS"}, "they are of one account"),
            ({"mode": "live"}, "This is a test installation: a live account of stripe cannot be used here."),
            ({"mode": "both"}, "This is a test installation"),
        ],
    )
    def test_has_no_account_that_is_none(self, operator: Operator, given: dict[str, str], said: str) -> None:
        OperatorFactory.create(account="acct_other", account__secrets="OTHER")
        with pytest.raises(ValidationError, match=said):
            accounts.add(operator=operator, **{"provider": "stripe", "reference": "acct_1", **given})
        assert not operator.provider_accounts.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"reference": "acct_other"},
            {"reference": "", "secret_name": "K", "webhook_secrets_name": "W"},
            {"secret_name": "", "webhook_secrets_name": "W"},
            {"secret_name": "STRIPE_API_KEY"},
            {"webhook_secrets_name": "STRIPE_WEBHOOK_SECRETS", "secret_name": "K"},
            {"secret_name": "OTHER_API_KEY"},
            {"webhook_secrets_name": "OTHER_WEBHOOK_SECRETS", "secret_name": "K"},
            {"mode": "both"},
        ],
        ids=str,
    )
    def test_has_no_such_row_whatever_writes_it(self, operator: Operator, wrong: dict[str, str]) -> None:
        OperatorFactory.create(account="acct_other", account__secrets="OTHER")
        add_account(operator, reference="acct_1")
        with pytest.raises(IntegrityError, match="account_"), transaction.atomic():
            operator.provider_accounts.update(**wrong)


class TestSales:
    @pytest.mark.parametrize("way", ["none", "off", "live", "another"])
    def test_are_refused_without_an_account(self, operator: Operator, way: str) -> None:
        rows: dict[str, dict[str, Any]] = {
            "off": {"is_active": False}, "live": {"mode": Mode.LIVE}, "another": {"provider": "another"},
        }  # fmt: skip
        if way != "none":
            add_account(operator, reference="acct_1", **rows[way])
        slot = SlotFactory.create(activity__operator=operator)
        answer = frontend(operator).reserve(slot)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_choice")
        assert answer.json()["error"]["param"] == "payment.provider"
        assert answer.json()["error"]["message"] == "This operator takes no payments by stripe."
        slot.refresh_from_db()
        assert (slot.reserved, Reservation.objects.count(), Payment.objects.count()) == (0, 0, 0)
        answer = frontend(operator).post("payment_intents", INTENT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_choice")
        assert Payment.objects.count() == 0

    def test_of_a_whole_resource_too(self, operator: Operator) -> None:
        slot = SlotFactory.create(activity__operator=operator, activity__exclusive=True)
        body: dict[str, Any] = {
            "slot_id": None,
            "resource_id": str(slot.activity_id),
            "units": [{"unit": "adult", "quantity": 1}],
        }
        answer = frontend(operator).reserve(slot, **body)
        assert answer.status_code == 422
        assert Payment.objects.count() == 0

    def test_go_through_the_account_that_takes_them(self, operator: Operator, sandbox: Sandbox) -> None:
        add_account(operator, reference="acct_old", is_active=False)
        add_account(operator, reference="acct_new")
        add_account(OperatorFactory.create(account=False), reference="acct_theirs")
        slot = SlotFactory.create(activity__operator=operator)
        assert frontend(operator).reserve(slot).status_code == 201
        assert frontend(operator).post("payment_intents", INTENT).status_code == 201
        assert set(Payment.objects.values_list("provider_account", flat=True)) == {"acct_new"}

    def test_of_an_account_that_was_switched_off_are_finished_there(self, operator: Operator, sandbox: Sandbox) -> None:
        account = add_account(operator, reference="acct_old")
        slot = SlotFactory.create(activity__operator=operator)
        made = frontend(operator).reserve(slot).json()["reservation"]
        ProviderAccount.objects.filter(pk=account.pk).update(is_active=False)
        assert Account("stripe", "acct_old") in list_accounts(operator=operator)
        assert frontend(operator).post(f"reservations/{made['id']}/cancel").status_code == 200
        execution.execute_due()
        assert Payment.objects.get().status == "canceled"

    def test_of_an_account_that_another_has_taken_over_are_paid_by_its_events(
        self, operator: Operator, sandbox: Sandbox
    ) -> None:
        old = add_account(operator, reference="acct_old")
        slot = SlotFactory.create(activity__operator=operator)
        frontend(operator).reserve(slot, capture_method="automatic")
        ProviderAccount.objects.filter(pk=old.pk).update(is_active=False)
        add_account(operator, reference="acct_new")
        stripe_events.deliver_all(sandbox, account="acct_old")
        assert Reservation.objects.get().status == "paid"


class TestMode:
    @pytest.fixture
    def live(self, operator: Operator) -> ProviderAccount:
        """A live account on this test installation: of a copy of somebody's database."""
        return add_account(operator, reference="acct_live", mode=Mode.LIVE)

    def test_a_command_is_not_sent_to_an_account_of_the_other(self, operator: Operator, sandbox: Sandbox) -> None:
        add_account(operator, reference="acct_1")
        slot = SlotFactory.create(activity__operator=operator)
        sandbox.webhooks("drop")
        made = frontend(operator).reserve(slot).json()["reservation"]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE payments_provideraccount DISABLE TRIGGER USER")
            cursor.execute("UPDATE payments_provideraccount SET mode = 'live'")
            cursor.execute("ALTER TABLE payments_provideraccount ENABLE TRIGGER USER")
        credentials.forget()
        frontend(operator).post(f"reservations/{made['id']}/cancel")
        execution.execute_due()
        command = Command.objects.get(kind="cancel")
        assert "the account acct_1 is a live account, and this is a test installation" in command.last_error
        assert Payment.objects.get().status == "on_hold"

    def test_is_told_by_the_system_check(self, live: ProviderAccount) -> None:
        (found,) = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
        assert found.id == "holdfast.E001"
        assert f"{live.operator.name}, stripe acct_live: This is a test installation" in found.msg

    def test_of_the_installation_is_what_counts(self, live: ProviderAccount, settings: Settings) -> None:
        providers.configure(settings, is_live=True)
        assert checks.run_checks(tags=[checks.Tags.database], databases=["default"]) == []
        test = add_account(OperatorFactory.create(account=False), reference="acct_test")
        (found,) = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
        assert f"stripe {test.reference}: This is a live installation" in found.msg


class TestGuards:
    @pytest.fixture
    def account(self, operator: Operator, sandbox: Sandbox) -> ProviderAccount:
        made = add_account(operator, reference="acct_1")
        slot = SlotFactory.create(activity__operator=operator)
        frontend(operator).reserve(slot)
        return made

    @pytest.mark.parametrize("change", [{"provider": "another"}, {"reference": "acct_2"}, {"mode": "live"}], ids=str)
    def test_what_was_paid_through_stays_what_it_is(self, account: ProviderAccount, change: dict[str, str]) -> None:
        with pytest.raises(DatabaseError, match="has payments and stays what it is"):
            ProviderAccount.objects.update(**change)
        with pytest.raises(DatabaseError, match="has payments and stays what it is"):
            ProviderAccount.objects.update(operator=OperatorFactory.create(account=False))
        ProviderAccount.objects.update(secret_name="KAYAKS_API_KEY", is_active=False)  # these may change

    def test_what_nothing_was_paid_through_can_be_put_right(self, operator: Operator) -> None:
        add_account(operator, reference="acct_mistyped")
        ProviderAccount.objects.update(reference="acct_1")
        assert ProviderAccount.objects.get().reference == "acct_1"

    def test_none_is_deleted(self, operator: Operator) -> None:
        add_account(operator, reference="acct_1")
        with pytest.raises(DatabaseError, match="refuse"):
            ProviderAccount.objects.all().delete()
        with pytest.raises(DatabaseError, match="refuse"), connection.cursor() as cursor:
            cursor.execute("TRUNCATE payments_provideraccount CASCADE")
        assert ProviderAccount.objects.count() == 1


class TestKeys:
    def test_are_found_and_the_connection_given_back(self, operator: Operator, pool: None) -> None:
        account = add_account(operator, reference="acct_1Keys", secrets="KEYS")
        assert connection.connection is not None
        assert credentials.key_name(provider=account.provider, account=account.reference) == "KEYS_API_KEY"
        assert connection.connection is None, "the call to the provider that follows would hold it"
