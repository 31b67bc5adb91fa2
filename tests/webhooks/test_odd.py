"""Once it is authentic, an event is kept and answered 200, whatever is in it, and it stops no other."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from booking import outcomes
from booking.models import Reservation
from common.errors import HoldfastError
from payments import credentials
from payments.credentials import WebhookSecrets
from payments.models import Payment
from payments.outcome_types import Outcome, ProviderPayment
from payments.providers import registry
from payments.providers.notifications import DeliveredRequest, Notification
from payments.providers.stripe.events import from_body
from reconciliation import accounts, discrepancies, manual_evidence, missed_events
from reconciliation.models import Discrepancy
from sweeps import registry as sweeps
from tests.support import odd_events, promises, stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.desk import act, list_of, page_of, sign_in
from tests.support.factories import SlotFactory
from tests.support.played import Answers, play
from tests.support.sandbox_client import Sandbox
from webhooks import deliveries, inbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def confirmed(sandbox: Sandbox) -> Reservation:
    """A reservation whose money is taken and whose events have not come."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    made = frontend.reserve(slot).json()["reservation"]
    frontend.post(f"reservations/{made['id']}/confirm")
    return Reservation.objects.get(pk=made["id"])


def assert_pays(confirmed: Reservation, sandbox: Sandbox) -> None:
    """The sound event still pays, and nothing else has."""
    confirmed.refresh_from_db()
    assert confirmed.status == "confirmed"
    assert stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded")).status_code == 200
    confirmed.refresh_from_db()
    assert confirmed.status == "paid"
    promises.hold()


class TestDelivered:
    def test_everything_is_kept_and_nothing_of_it_applied(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        given = list(odd_events.bodies())
        assert len(given) > 150
        for number, (name, body) in enumerate(given, start=1):
            answer = stripe_events.post(body, stripe_events.sign(body))
            assert (answer.status_code, answer.json()) == (200, {"received": True}), name
            assert Event.objects.count() == number, name
        kept = Event.objects.all()
        assert not kept.filter(status="applied").exists()
        assert not kept.filter(status="failed", error="").exists()
        assert kept.filter(error__startswith="UnreadableError: ").count() > 100
        assert stripe_events.post(body, stripe_events.sign(body)).status_code == 200  # the last again: a copy
        assert Event.objects.count() == len(given)
        assert_pays(confirmed, sandbox)

    def test_what_is_odd_about_news_of_ours_decides(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        """Money is applied if what it stands on can be read, and what is only shown is left out."""
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        event["data"]["object"] |= {"receipt_url": {}, "next_action": "x", "client_secret": "\0" * 300,
                                    "latest_charge": ["x"], "last_payment_error": 5}  # fmt: skip
        assert stripe_events.deliver(event).status_code == 200
        confirmed.refresh_from_db()
        assert confirmed.status == "paid"

    def test_a_clock_of_the_future_is_not_believed(self, confirmed: Reservation, sandbox: Sandbox) -> None:
        event = stripe_events.only(sandbox, "payment_intent.succeeded")
        for number, created in enumerate((event["created"] + 3 * 86_400, 253_402_300_799)):
            stripe_events.deliver(event | {"id": f"evt_{number}", "created": created})
        assert [row.error.split(":")[0] for row in Event.objects.all()] == ["FutureError"] * 2
        assert_pays(confirmed, sandbox)


class TestKept:
    @pytest.fixture
    def rows(self, sandbox: Sandbox) -> list[Event]:
        """One of each kind: no JSON, no id, and odd in what it is about."""
        for body in (
            b"not json",
            json.dumps(odd_events.sound(id={"a": 1})).encode(),
            json.dumps(odd_events.sound(id="evt_2", data={"object": {"object": "payment_intent"}})).encode(),
        ):
            assert stripe_events.post(body, stripe_events.sign(body)).status_code == 200
        return list(Event.objects.order_by("id"))

    def test_says_why_and_is_of_a_person(self, rows: list[Event]) -> None:
        text, nameless, objectless = rows
        assert (text.payload, text.live, text.occurred_at) == ({"raw": "not json"}, None, None)
        assert text.error == "UnreadableError: the body is no JSON that can be read"
        assert nameless.event_id.startswith("unreadable_")
        assert nameless.error == "UnreadableError: id is no text"
        assert (objectless.event_id, objectless.error) == ("evt_2", "UnreadableError: status is missing")
        assert [row.next_attempt_at for row in rows] == [None] * 3
        assert discrepancies.keep_with_failed_events() == 3
        assert set(Discrepancy.objects.values_list("kind", "status")) == {("event", "open")}

    def test_trying_again_harms_nothing(self, rows: list[Event]) -> None:
        Event.objects.update(next_attempt_at=rows[0].received_at)
        end_leases()
        assert sweeps.run("retry_events") == 0
        desk = sign_in(operator=None)
        assert desk.get(list_of(Event)).status_code == 200
        for row in rows:
            assert desk.get(page_of(row)).status_code == 200
            assert act(desk, row, "retry", "again").status_code == 200
            again = Event.objects.get(pk=row.pk)
            assert (again.status, again.attempts, again.error) == ("failed", 3, row.error)

    def test_one_id_at_two_accounts_is_told_twice(self, sandbox: Sandbox) -> None:
        for account in ("acct_a", "acct_b"):
            stripe_events.deliver(odd_events.sound(id="evt_same", account=account, data={}))
            assert discrepancies.keep_with_failed_events() == 1
        assert set(Discrepancy.objects.values_list("account", "subject")) == {
            ("acct_a", "evt_same"), ("acct_b", "evt_same")}  # fmt: skip


class TestAtCommit:
    """What the database says only at the end is heard while the event can still be kept."""

    def test_keeps_the_event(self, confirmed: Reservation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        settle = outcomes.handle

        def paid_without_money(**given: Any) -> Any:
            settled = settle(**given)
            with connection.cursor() as cursor:
                cursor.execute("UPDATE booking_reservation SET amount = amount + 1")
            return settled

        with monkeypatch.context() as broken:
            broken.setattr(outcomes, "handle", paid_without_money)
            answer = stripe_events.deliver(stripe_events.only(sandbox, "payment_intent.succeeded"))
            assert answer.status_code == 200
        kept = Event.objects.get()
        assert (kept.status, kept.payment_id, kept.effect, kept.processed_at) == ("failed", None, "", None)
        assert kept.error.startswith("IntegrityError (reservation_sums, ")
        assert str(confirmed.pk) not in kept.error
        end_leases()
        assert inbox.retry_due() == 1
        confirmed.refresh_from_db()
        assert (confirmed.status, confirmed.amount) == ("paid", 4500)
        promises.hold()


@pytest.fixture
def played(settings: Settings) -> Iterator[Answers]:
    """Be Stripe for a moment."""
    with play(settings) as answers:
        yield answers


class TestRead:
    """The same from the provider's API, where an odd object stands among sound ones."""

    def test_recovery_goes_on_and_its_mark_moves(
        self, confirmed: Reservation, sandbox: Sandbox, played: dict[str, Any]
    ) -> None:
        sound = stripe_events.only(sandbox, "payment_intent.succeeded")
        odd = [event for _, event in odd_events.events()][::2]
        played["/v1/events"] = {"object": "list", "has_more": False, "data": [*odd[:40], sound, *odd[40:]]}
        sweep = missed_events.recover_unread(accounts=[accounts.Account("stripe")])
        assert sweep.problems == []
        assert Event.objects.count() == len(odd) + 1
        assert not Event.objects.filter(status="applied").exclude(event_id=sound["id"]).exists()
        confirmed.refresh_from_db()
        assert confirmed.status == "paid"
        assert missed_events.recover_unread(accounts=[accounts.Account("stripe")]).taken == 0
        promises.hold()

    def test_vouching_is_refused_in_words(self, confirmed: Reservation, played: dict[str, Any]) -> None:
        payment = Payment.objects.get()
        for path, values in odd_events.FIELDS.items():
            name = path.removeprefix("data.object.")
            if name != path or path == "livemode":
                for value in values:
                    intent = odd_events.sound()["data"]["object"] | {"id": payment.provider_ref, "livemode": False}
                    intent |= {} if value is odd_events.MISSING else {name: value}
                    played[f"/v1/payment_intents/{payment.provider_ref}"] = (
                        {key: intent[key] for key in intent if key != name} if value is odd_events.MISSING else intent
                    )
                    try:
                        manual_evidence.attest(payment_id=payment.pk, by="marta", because="no event")
                    except HoldfastError:
                        continue
        payment.refresh_from_db()
        assert Event.objects.filter(status="applied").count() <= 1
        promises.hold()


class CarelessProvider:
    """A provider whose events are taken as they come: one that checks nothing must not lose any either."""

    name: ClassVar[str] = "careless"
    is_live = False

    def __init__(self, **told: Any) -> None:
        self.told = told

    def as_it_is(self) -> Any:
        return self

    def webhook_secrets(self, *, account: str) -> WebhookSecrets:
        return credentials.platform_webhook_secrets(provider=self.name)

    def authenticate(self, **_: Any) -> Notification:
        return Notification(**{"event_id": "1", "type": "paid", "account": "", "live": False, "api_version": "",
                               "created_at": timezone.now(), "payload": {"id": 1}, **self.told})  # fmt: skip

    def read(self, *, notification: Notification) -> Any:
        amount = notification.payload["amount"]
        money = {"amount": amount, "currency": "USD", "amount_captured": amount}
        return [ProviderPayment(ref="1", outcome=Outcome.CAPTURED, **money)]


class TestAnyProvider:
    ODD: ClassVar[list[dict[str, Any]]] = [
        {"event_id": "x" * 300}, {"event_id": "\0"}, {"type": "x" * 300}, {"payload": {"amount": 10**30}},
        {"payload": {"amount": "\ud800"}}, {"payload": {"amount": {1, 2}}}, {"created_at": "never"},
        {"object_ref": "x" * 300}, {"live": "perhaps"}, {"api_version": "x" * 300},
    ]  # fmt: skip

    def test_what_no_column_holds_is_kept_as_a_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        request = DeliveredRequest(body=b"", headers={}, query={})
        for number, told in enumerate(self.ODD, start=1):
            provider: Any = CarelessProvider(**{"event_id": str(number)} | told)
            monkeypatch.setitem(registry._MAKERS, "careless", provider.as_it_is)
            registry.get.cache_clear()
            for expected in (inbox.Receipt.KEPT, inbox.Receipt.DUPLICATE):
                receipt = deliveries.receive(provider="careless", request=request, account="", now=timezone.now())
                assert receipt is expected, told
            kept = Event.objects.all()[0]
            assert (Event.objects.count(), kept.status, kept.captured_amount) == (number, "failed", 0), told
            assert kept.error, told
        registry.get.cache_clear()


class TestNotification:
    def test_reading_a_body_never_raises(self) -> None:
        for _, body in odd_events.bodies():
            told = from_body(body)
            assert 0 < len(told.event_id) <= 255
            json.dumps(told.payload, allow_nan=False).encode()
