"""An event is evidence for the account that its secret speaks for, at intake and at every retry, and for no other."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import DatabaseError

from payments import credentials
from payments.models import Payment
from payments.outcome_types import Outcome
from payments.providers import registry
from payments.providers.base import EventHistory
from reconciliation import accounts, manual_evidence, missed_events
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.factories import OperatorFactory, SlotFactory, change_secrets
from tests.support.sandbox_client import Sandbox
from tests.webhooks.signing import deliver
from webhooks import routing
from webhooks.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_secrets")]

PLATFORM = stripe_events.SECRET


class TestEndpoints:
    """Which endpoint takes whose events, by whose secret."""

    TAKEN = (
        ("", PLATFORM, None, ""),
        ("", PLATFORM, "", ""),
        ("", PLATFORM, "acct_connected", "acct_connected"),
        ("", PLATFORM, "acct_of_another_program", "acct_of_another_program"),
        ("acct_connected", PLATFORM, "acct_connected", "acct_connected"),
        ("acct_own", "whsec_own", None, "acct_own"),
        ("acct_own", "whsec_own", "", "acct_own"),
        ("acct_own", "whsec_own", "acct_own", "acct_own"),
    )
    REFUSED = (
        ("", PLATFORM, "acct_own"),
        ("", "whsec_own", None),
        ("", "whsec_own", "acct_own"),
        ("", "whsec_own", "acct_connected"),
        ("acct_connected", PLATFORM, None),
        ("acct_connected", PLATFORM, "acct_own"),
        ("acct_connected", "whsec_own", "acct_connected"),
        ("acct_own", PLATFORM, None),
        ("acct_own", PLATFORM, "acct_own"),
        ("acct_own", "whsec_own", "acct_connected"),
        ("acct_own", "whsec_own", "acct_OWN"),
        ("acct_own", "whsec_own", " acct_own"),
        ("acct_own", "whsec_evil", "acct_own"),
        ("acct_own", "", None),
        ("acct_nobodys", PLATFORM, "acct_nobodys"),
        ("acct_nobodys", PLATFORM, None),
    )
    NO_ACCOUNTS: ClassVar[tuple[Any, ...]] = (
        5,
        0,
        True,
        False,
        1.5,
        [],
        ["acct_connected"],
        {},
        {"id": "acct_connected"},
    )

    def test_take_what_their_secret_speaks_for_and_nothing_else(self) -> None:
        OperatorFactory.create(account="acct_connected")
        OperatorFactory.create(account="acct_own", account__secrets="STRIPE_OWN")
        for endpoint, secret, account in self.REFUSED:
            assert deliver(endpoint, secret, account) == 400, (endpoint, secret, account)
        for odd in self.NO_ACCOUNTS:
            assert deliver("acct_own", "whsec_own", odd) == 400, odd
        assert Event.objects.count() == 0
        for endpoint, secret, account, proven in self.TAKEN:
            assert deliver(endpoint, secret, account) == 200, (endpoint, secret, account)
            kept = Event.objects.all()[0]
            name = "STRIPE_OWN_WEBHOOK_SECRETS" if secret == "whsec_own" else "STRIPE_WEBHOOK_SECRETS"
            assert (kept.endpoint, kept.account, kept.proven_account) == (endpoint, proven, proven)
            assert kept.secret_name == name
        assert Event.objects.count() == len(self.TAKEN)

    def test_secrets_that_are_missing_or_empty_verify_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        OperatorFactory.create(account="acct_own", account__secrets="STRIPE_OWN")
        for value in (None, "", " ", ",", " , "):
            if value is None:
                monkeypatch.delenv("STRIPE_OWN_WEBHOOK_SECRETS")
            else:
                monkeypatch.setenv("STRIPE_OWN_WEBHOOK_SECRETS", value)
            for secret in ("", " ", ",", PLATFORM, "whsec_own"):
                assert deliver("acct_own", secret) == 400, (value, secret)
        assert Event.objects.count() == 0

    def test_one_id_at_two_accounts_is_two_events(self) -> None:
        OperatorFactory.create(account="acct_own", account__secrets="STRIPE_OWN")
        assert deliver("acct_own", "whsec_own", id="evt_same") == 200
        assert deliver("", PLATFORM, id="evt_same") == 200
        assert deliver("", PLATFORM, "acct_connected", id="evt_same") == 200
        assert set(Event.objects.values_list("account", flat=True)) == {"", "acct_own", "acct_connected"}


class TestKeysThatChange:
    """What is remembered of an operator's key for a minute lets nobody in, at any moment of the change."""

    @pytest.fixture(autouse=True)
    def known(self) -> None:
        OperatorFactory.create(account="acct_own")
        credentials.mode_of(provider="stripe", account="acct_own")  # it is remembered now that it has none

    def give(self, name: str) -> None:
        change_secrets("acct_own", secrets=name)

    def test_got_changed_and_lost(self) -> None:
        assert deliver("", PLATFORM, "acct_own") == 200
        self.give("STRIPE_OWN")
        assert deliver("", PLATFORM, "acct_own") == 400
        assert deliver("acct_own", PLATFORM, "acct_own") == 400
        assert deliver("acct_own", "whsec_own") == 200
        credentials.mode_of(provider="stripe", account="acct_own")
        self.give("STRIPE_EVIL")
        assert deliver("acct_own", "whsec_own") == 400
        assert deliver("acct_own", "whsec_evil") == 200
        credentials.mode_of(provider="stripe", account="acct_own")
        self.give("")
        assert deliver("acct_own", "whsec_evil") == 400
        assert deliver("", PLATFORM, "acct_own") == 200
        assert Event.objects.count() == 4

    @pytest.mark.parametrize(
        ("before", "after", "endpoint", "secret"),
        [
            ("", "STRIPE_OWN", "", PLATFORM),
            ("", "STRIPE_OWN", "acct_own", PLATFORM),
            ("STRIPE_EVIL", "STRIPE_OWN", "acct_own", "whsec_evil"),
            ("STRIPE_OWN", "", "acct_own", "whsec_own"),
        ],
    )
    def test_between_the_check_and_the_insert(
        self, monkeypatch: pytest.MonkeyPatch, before: str, after: str, endpoint: str, secret: str
    ) -> None:
        self.give(before)
        read = routing.read

        def read_later(**given: Any) -> Any:
            self.give(after)
            return read(**given)

        monkeypatch.setattr(routing, "read", read_later)
        assert deliver(endpoint, secret, "acct_own") == 400
        assert Event.objects.count() == 0


class TestRead:
    """What was read from the provider is proven by the account that it was read for."""

    @pytest.fixture
    def payment(self, sandbox: Sandbox) -> Payment:
        """A captured payment of a connected account, whose webhook never came."""
        sandbox.webhooks("drop")
        slot = SlotFactory.create(activity__operator=OperatorFactory.create(account="acct_connected"))
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        return Payment.objects.get()

    def test_recovered(self, payment: Payment) -> None:
        missed_events.recover_unread(accounts=accounts.list_accounts())
        row = Event.objects.get(captured_amount=4500)
        assert (row.source, row.status, row.endpoint) == ("recovered", "applied", "acct_connected")
        assert (row.proven_account, row.secret_name) == ("acct_connected", "STRIPE_API_KEY")

    def test_attested(self, payment: Payment) -> None:
        manual_evidence.attest(payment_id=payment.pk, by="marta", because="the event is gone")
        row = Event.objects.get()
        assert (row.source, row.status, row.endpoint) == ("attested", "applied", "acct_connected")
        assert (row.proven_account, row.secret_name) == ("acct_connected", "STRIPE_API_KEY")
        for field in ("endpoint", "proven_account", "secret_name", "attested_by", "live", "api_version"):
            with pytest.raises(DatabaseError):
                Event.objects.update(**{field: True if field == "live" else "other"})

    def test_by_a_key_that_is_the_accounts_no_more(self, payment: Payment) -> None:
        credentials.mode_of(provider="stripe", account="acct_connected")
        change_secrets("acct_connected", secrets="STRIPE_OWN")
        tally = missed_events.recover_unread(accounts=[accounts.Account("stripe", "acct_connected")])
        assert (tally.taken, bool(tally.problems), Event.objects.count()) == (0, True, 0)

    def test_of_another_account_than_was_read(self, payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
        provider = registry.get("stripe")
        assert isinstance(provider, EventHistory)
        listed: Callable[..., Any] = provider.list_events

        def list_events(self: Any, *, account: str, **given: Any) -> Any:
            return listed(account="acct_connected", **given)

        monkeypatch.setattr(type(provider), "list_events", list_events)
        missed_events.recover_unread(accounts=[accounts.Account("stripe", ""), accounts.Account("stripe", "acct_x")])
        assert Event.objects.count() == 0
        payment.refresh_from_db()
        assert (payment.status, payment.amount_captured) == ("processing", 0)
        assert registry.get("stripe").fetch(
            ref=payment.provider_ref, account="acct_connected"
        ).outcome is Outcome.CAPTURED  # fmt: skip
