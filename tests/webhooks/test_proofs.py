"""An event is evidence for the account that its secret speaks for, at intake and at every retry, and for no other."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from booking.models import Reservation
from payments.models import Payment
from payments.outcomes import Outcome
from payments.providers import own_keys, registry
from reconciliation import accounts, attesting, missed_events
from sweeps import registry as sweeps
from tenants.models import Operator
from tests import promises, stripe_events
from tests.aging import end_leases
from tests.api import Frontend
from tests.backoffice.test_backoffice import act, sign_in
from tests.factories import OperatorFactory, SlotFactory
from tests.sandbox_client import Sandbox
from webhooks import routing
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

PLATFORM = stripe_events.SECRET
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def anew(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have two sets of secrets of operators' own in the environment, and nothing remembered of operators."""
    for name in ("EVIL", "OWN"):
        monkeypatch.setenv(f"STRIPE_{name}_API_KEY", f"sk_test_{name.lower()}")
        monkeypatch.setenv(f"STRIPE_{name}_WEBHOOK_SECRETS", f"whsec_{name.lower()}")
    own_keys.forget()
    yield
    own_keys.forget()


def event(account: Any = None, **changes: Any) -> dict[str, Any]:
    """Write an event that is none of our business, of an account if one is named."""
    return {
        "id": f"evt_{next(_numbers)}",
        "object": "event",
        "created": int(timezone.now().timestamp()),
        "type": "customer.created",
        "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        **({} if account is None else {"account": account}),
        **changes,
    }


def deliver(endpoint: str, secret: str, account: Any = None, **changes: Any) -> int:
    path = f"/webhooks/stripe/{endpoint}".rstrip("/")
    return int(stripe_events.deliver(event(account, **changes), path=path, secret=secret).status_code)


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
        OperatorFactory.create(stripe_account="acct_connected")
        OperatorFactory.create(stripe_account="acct_own", stripe_secret="STRIPE_OWN")
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
        OperatorFactory.create(stripe_account="acct_own", stripe_secret="STRIPE_OWN")
        for value in (None, "", " ", ",", " , "):
            if value is None:
                monkeypatch.delenv("STRIPE_OWN_WEBHOOK_SECRETS")
            else:
                monkeypatch.setenv("STRIPE_OWN_WEBHOOK_SECRETS", value)
            for secret in ("", " ", ",", PLATFORM, "whsec_own"):
                assert deliver("acct_own", secret) == 400, (value, secret)
        assert Event.objects.count() == 0

    def test_one_id_at_two_accounts_is_two_events(self) -> None:
        OperatorFactory.create(stripe_account="acct_own", stripe_secret="STRIPE_OWN")
        assert deliver("acct_own", "whsec_own", id="evt_same") == 200
        assert deliver("", PLATFORM, id="evt_same") == 200
        assert deliver("", PLATFORM, "acct_connected", id="evt_same") == 200
        assert set(Event.objects.values_list("account", flat=True)) == {"", "acct_own", "acct_connected"}


class TestKeysThatChange:
    """What is remembered of an operator's key for a minute lets nobody in, at any moment of the change."""

    @pytest.fixture
    def operator(self) -> Operator:
        made = OperatorFactory.create(stripe_account="acct_own")
        own_keys.key_of("acct_own")  # it is remembered now that it has none
        return made

    def give(self, operator: Operator, name: str) -> None:
        Operator.objects.filter(pk=operator.pk).update(stripe_secret=name)

    def test_got_changed_and_lost(self, operator: Operator) -> None:
        assert deliver("", PLATFORM, "acct_own") == 200
        self.give(operator, "STRIPE_OWN")
        assert deliver("", PLATFORM, "acct_own") == 400
        assert deliver("acct_own", PLATFORM, "acct_own") == 400
        assert deliver("acct_own", "whsec_own") == 200
        own_keys.key_of("acct_own")
        self.give(operator, "STRIPE_EVIL")
        assert deliver("acct_own", "whsec_own") == 400
        assert deliver("acct_own", "whsec_evil") == 200
        own_keys.key_of("acct_own")
        self.give(operator, "")
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
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch, before: str, after: str, endpoint: str, secret: str
    ) -> None:
        self.give(operator, before)
        read = routing.read

        def read_later(**given: Any) -> Any:
            self.give(operator, after)
            return read(**given)

        monkeypatch.setattr(routing, "read", read_later)
        assert deliver(endpoint, secret, "acct_own") == 400
        assert Event.objects.count() == 0


class TestForged:
    """An operator with an account of its own says that a guest of another one has paid."""

    @pytest.fixture
    def victim(self, sandbox: Sandbox) -> Reservation:
        """A reservation that nothing was paid for."""
        OperatorFactory.create(stripe_account="acct_evil", stripe_secret="STRIPE_EVIL")
        slot = SlotFactory.create(resource__operator=OperatorFactory.create(stripe_account="acct_victim"))
        Frontend.of(slot).reserve(slot, card=None, capture_method="automatic")
        return Reservation.objects.select_related("payment").get()

    def told(self, victim: Reservation, **changes: Any) -> dict[str, Any]:
        """Write the event that would tell of its money."""
        payment = victim.payment
        intent = {"id": payment.provider_ref, "object": "payment_intent", "status": "succeeded",
                  "amount": payment.amount, "amount_received": payment.amount, "currency": "usd",
                  "metadata": {"holdfast_payment": str(payment.pk)}}  # fmt: skip
        return event(**{"type": "payment_intent.succeeded", "data": {"object": intent}, **changes})

    def stored(self, victim: Reservation, **changes: Any) -> Event:
        """Have such an event in the inbox, as failed, due, and with what ``changes`` say."""
        told = self.told(victim, account="acct_victim")
        given = {
            "provider": "stripe", "account": "acct_victim", "event_id": told["id"], "type": told["type"],
            "object_ref": victim.payment.provider_ref, "live": False, "source": "webhook", "payload": told,
            "captured_amount": victim.payment.amount, "captured_currency": "USD", "occurred_at": timezone.now(),
            "received_at": timezone.now(), "status": "failed", "next_attempt_at": timezone.now(),
        }  # fmt: skip
        return Event.objects.create(**given | changes)

    def assert_unpaid(self, victim: Reservation) -> None:
        found = Reservation.objects.select_related("payment").get(pk=victim.pk)
        assert (found.status, found.payment.amount_captured) == ("awaiting_payment", 0)
        promises.hold()

    def test_is_refused_and_never_tried(self, victim: Reservation) -> None:
        for account in (None, "acct_victim", "acct_evil"):
            told = self.told(victim) | ({} if account is None else {"account": account})
            stripe_events.deliver(told, path="/webhooks/stripe/acct_evil", secret="whsec_evil")
        assert not Event.objects.filter(account="acct_victim").exists()
        end_leases()
        sweeps.run("retry_events")
        self.assert_unpaid(victim)

    OLD_ROWS: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({}, "NotProvenError"),
        ({"secret_name": "STRIPE_WEBHOOK_SECRETS"}, "NotProvenError"),
        ({"proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"}, "event_is_proven"),
        ({"proven_account": "acct_victim", "secret_name": "STRIPE_WEBHOOK_SECRETS", "live": True}, "WrongMode"),
        ({"source": "recovered", "proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_API_KEY"}, "proven"),
    ]

    def test_that_was_stored_somehow_is_not_applied_by_a_retry(self, victim: Reservation) -> None:
        with without_guards():
            rows = [(self.stored(victim, **changes), error) for changes, error in self.OLD_ROWS]
        sweeps.run("retry_events")
        desk = sign_in(operator=None)
        for row, error in rows:
            act(desk, row, "retry", "again")
            row.refresh_from_db()
            assert (row.status, row.attempts, row.payment_id) == ("failed", 2, None)
            assert error in row.error
        self.assert_unpaid(victim)

    def test_the_database_does_not_store_what_is_proven_for_another(self, victim: Reservation) -> None:
        for changes in (
            {"proven_account": "acct_evil", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"},
            {"proven_account": "acct_victim", "secret_name": "STRIPE_EVIL_WEBHOOK_SECRETS"},
            {"proven_account": "acct_victim", "secret_name": ""},
            {"proven_account": "acct_victim", "secret_name": "STRIPE_WEBHOOK_SECRETS", "endpoint": "acct_evil"},
            {"status": "applied", "payment": victim.payment},
        ):
            with pytest.raises(DatabaseError):
                self.stored(victim, **changes)
        assert Event.objects.count() == 0

    def test_a_proof_that_is_none_any_more_is_not_taken_at_a_retry(self, victim: Reservation) -> None:
        row = self.stored(victim, proven_account="acct_victim", secret_name="STRIPE_WEBHOOK_SECRETS")
        Operator.objects.filter(stripe_account="acct_victim").update(stripe_secret="STRIPE_OWN")
        assert sweeps.run("retry_events") == 0
        self.assert_unpaid(victim)
        Operator.objects.filter(stripe_account="acct_victim").update(stripe_secret="")
        end_leases()
        assert sweeps.run("retry_events") == 1  # the control: the same row, proven again
        row.refresh_from_db()
        assert (row.status, row.payment_id) == ("applied", victim.payment_id)


class TestRead:
    """What was read from the provider is proven by the account that it was read for."""

    @pytest.fixture
    def payment(self, sandbox: Sandbox) -> Payment:
        """A captured payment of a connected account, of which no webhook came."""
        sandbox.webhooks("drop")
        slot = SlotFactory.create(resource__operator=OperatorFactory.create(stripe_account="acct_connected"))
        Frontend.of(slot).reserve(slot, capture_method="automatic")
        return Payment.objects.get()

    def test_recovered(self, payment: Payment) -> None:
        missed_events.recover_unread(accounts=accounts.list_accounts())
        row = Event.objects.get(captured_amount=4500)
        assert (row.source, row.status, row.endpoint) == ("recovered", "applied", "acct_connected")
        assert (row.proven_account, row.secret_name) == ("acct_connected", "STRIPE_API_KEY")

    def test_attested(self, payment: Payment) -> None:
        attesting.attest(payment_id=payment.pk, by="marta", because="the event is gone")
        row = Event.objects.get()
        assert (row.source, row.status, row.endpoint) == ("attested", "applied", "acct_connected")
        assert (row.proven_account, row.secret_name) == ("acct_connected", "STRIPE_API_KEY")
        for field in ("endpoint", "proven_account", "secret_name", "attested_by", "live", "api_version"):
            with pytest.raises(DatabaseError):
                Event.objects.update(**{field: True if field == "live" else "other"})

    def test_by_a_key_that_is_the_accounts_no_more(self, payment: Payment) -> None:
        own_keys.key_of("acct_connected")
        Operator.objects.update(stripe_secret="STRIPE_OWN")
        tally = missed_events.recover_unread(accounts=[accounts.Account("stripe", "acct_connected")])
        assert (tally.taken, bool(tally.problems), Event.objects.count()) == (0, True, 0)

    def test_of_another_account_than_was_read(self, payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
        provider = registry.get("stripe")
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


@contextmanager
def without_guards() -> Iterator[None]:
    """Take the inbox's triggers away: a row as it may have been stored before there were any."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE webhooks_event DISABLE TRIGGER USER")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE webhooks_event ENABLE TRIGGER USER")
