"""Money is money wherever a person reads or types it: no page, message or export has a minor unit."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.models import Activity, Rate, Slot
from payments.models import Command, Dispute, Payment, Refund
from reconciliation.models import Discrepancy, LedgerEntry, SettlementRun
from sweeps import registry
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.desk import export, list_of, page_of, prices, rates, sign_in, text_of
from tests.support.discrepancies import open_one
from tests.support.factories import ActivityFactory, OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

PRICE = 1_234_567
"""In minor units: 12,345.67 USD."""


class TestPrices:
    @pytest.fixture
    def activity(self) -> Activity:
        return ActivityFactory.create(currency="EUR")

    @pytest.fixture
    def client(self, activity: Activity) -> Client:
        return sign_in(operator=activity.operator)

    def test_are_shown_and_typed_in_the_currency(self, client: Client, activity: Activity) -> None:
        page = client.get(page_of(activity)).content.decode()
        assert 'value="45.00"' in page
        assert "4500" not in page
        body = rates(activity, adult="49.5", child="20.00")
        assert client.post(page_of(activity), body).status_code == 302
        assert prices(activity) == {"adult": 4950, "child": 2000}

    @pytest.mark.parametrize(
        ("currency", "typed", "amount"), [("JPY", "4500", 4500), ("KWD", "4.505", 4505), ("USD", "0", 0)]
    )
    def test_in_each_currency_with_its_own_coins(
        self, client: Client, activity: Activity, currency: str, typed: str, amount: int
    ) -> None:
        body = rates(activity, adult="1") | {"name": "New", "currency": currency, "rates-INITIAL_FORMS": "0"}
        body |= {"rates-TOTAL_FORMS": "1", "rates-0-id": "", "rates-0-amount": typed, "rates-0-activity": ""}
        assert client.post(reverse("admin:catalogue_activity_add"), body).status_code == 302
        made = Activity.objects.get(name="New")
        assert prices(made) == {"adult": amount}
        assert f'value="{typed}"' in client.get(page_of(made)).content.decode() or typed == "0"

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ("45.001", "45.001 has too many decimals for EUR."),
            ("-1", "greater than or equal to 0"),
            ("x", "Enter a number."),
            ("9" * 30, "no more than 18 digits"),
            ("9" * 17, "The price exceeds 10,000,000,000,000.00 EUR."),
            ("NaN", "Enter a number."),
            ("1e30", "no more than 18 digits"),
        ],
    )
    def test_what_is_no_price_is_told(self, client: Client, activity: Activity, typed: str, told: str) -> None:
        answer = client.post(page_of(activity), rates(activity, adult=typed, child="20.00"))
        assert (answer.status_code, told in answer.content.decode()) == (200, True)
        assert prices(activity) == {"adult": 4500, "child": 2000}

    def test_an_activity_of_no_currency_is_told_and_no_fault(self, client: Client, activity: Activity) -> None:
        body = rates(activity, adult="45.00", child="20.00") | {"currency": "XYZ"}
        assert client.post(page_of(activity), body).status_code == 200
        assert prices(activity) == {"adult": 4500, "child": 2000}


class TestPages:
    def test_no_page_list_or_export_has_a_minor_unit(self, sandbox: Sandbox) -> None:
        """Every row of everything that has an amount, by introspection: a new page is in it by itself."""
        activity = ActivityFactory.create(operator=OperatorFactory.create(), rates={"adult": PRICE})
        slot = SlotFactory.create(activity=activity)
        frontend = Frontend.of(slot)
        frontend.reserve(slot, capture_method="automatic")
        stripe_events.deliver_all(sandbox)
        payment = Payment.objects.get()
        frontend.post("refunds", {"payment_id": str(payment.pk), "amount": PRICE})
        registry.run("send_commands")
        stripe_events.deliver_all(sandbox)
        money = {"amount": PRICE, "currency": "USD"}
        Dispute.objects.create(payment=payment, operator=activity.operator, provider_ref="dp_1", status="lost",
                               created_at=timezone.now(), as_of=timezone.now(), **money)  # fmt: skip
        LedgerEntry.objects.create(
            provider="stripe", ref="txn_1", kind="charge", category="charge", fee=PRICE, net=PRICE, moved=PRICE,
            moved_currency="USD", occurred_at=timezone.now(), **money,
        )  # fmt: skip
        sums = {"captured": {"here": PRICE, "there": PRICE}, "refunded": {"here": 0, "there": PRICE}, "payments": 1}
        SettlementRun.objects.create(
            date=timezone.now().date(), provider="stripe", started_at=timezone.now(), read_until=timezone.now(),
            totals={"payments": {"USD": sums}, "balances": {"USD": {"fees": PRICE, "net": PRICE}}},
        )  # fmt: skip
        open_one(payment, difference={"ours": money, "theirs": {"captured": PRICE, "net": PRICE}})
        root = sign_in(operator=None)
        shown = set()
        for model, page in admin.site._registry.items():
            rows = model._default_manager.all()
            row = (rows.filter(captured_amount__gt=0) if model is Event else rows).first()
            if row is None or model is Slot:
                continue
            for path in (list_of(model), page_of(row)):
                text = re.sub(r"Evidence.*", "", text_of(root.get(path)), flags=re.S)
                assert str(PRICE) not in text, path
                shown |= {model} if "12,345.67 USD" in text else set()
            if getattr(page, "export_fields", ()):
                for told in export(root, model):
                    assert PRICE not in told.values(), model
        amounts = {
            model
            for model in admin.site._registry
            if any(type(field) is models.BigIntegerField for field in model._meta.concrete_fields)
        }
        assert {model for model in amounts if model._default_manager.exists()} <= shown
        assert {Payment, Command, Refund, Dispute, Event, LedgerEntry, SettlementRun, Discrepancy} <= shown

    def test_an_export_has_numbers_to_the_last_digit(self, sandbox: Sandbox) -> None:
        LedgerEntry.objects.create(
            provider="stripe", ref="txn_1", kind="charge", category="charge",
            amount=9_007_199_254_740_993, fee=-5, net=0, currency="USD",
            moved=1_000, moved_currency="KWD", occurred_at=timezone.now(),
        )  # fmt: skip
        answer: Any = sign_in(operator=None).get(f"{list_of(LedgerEntry)}export/")
        text = b"".join(answer.streaming_content).decode()
        for told in ('"amount": 90071992547409.93', '"fee": -0.05', '"net": 0.00', '"moved": 1.000'):
            assert told in text, told

    def test_a_currency_that_nobody_knows_is_no_fault(self) -> None:
        LedgerEntry.objects.create(
            provider="stripe", ref="txn_1", kind="charge", category="charge",
            amount=5, fee=0, net=5, currency="ZZZ", moved=5,
            moved_currency="", occurred_at=timezone.now(),
        )  # fmt: skip
        root = sign_in(operator=None)
        for path in (list_of(LedgerEntry), page_of(LedgerEntry.objects.get())):
            assert "5 minor units of ZZZ" in root.get(path).content.decode()
        assert export(root, LedgerEntry)[0]["amount"] == 5
        assert Rate.objects.count() == 0
