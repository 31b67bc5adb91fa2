"""Money as people read it: ISO 4217's decimals everywhere, and only currencies that there are."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.models import Activity
from common import currencies, errors
from notifications import rendering
from notifications.models import Mail, MailKind
from payments import limits
from payments.models import Payment
from payments.providers import registry
from reconciliation import contradictions, promises
from reconciliation.models import Discrepancy, LedgerEntry
from tenants.models import Operator
from tests.support import stripe_events
from tests.support.api import Frontend
from tests.support.desk import sign_in
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox

NO_CURRENCY = "X" * 3
"""The code of money that is of no currency."""
NONE = ["XYZ", NO_CURRENCY, "XTS", "XAU", "DEM", "BGN", "HRK", "usd", "US", "", "USDX", "US1", "ÜSD"]
"""Unknown, no currency, testing, gold, withdrawn, and what is no code."""


class TestWriting:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            (4500, "EUR", "45.00 EUR"), (5, "USD", "0.05 USD"), (259900, "USD", "2,599.00 USD"),
            (-1599, "USD", "-15.99 USD"), (2599, "JPY", "2,599 JPY"), (12345, "KWD", "12.345 KWD"),
            (1550, "RSD", "15.50 RSD"), (150, "ISK", "150 ISK"), (999, "LBP", "9.99 LBP"), (150, "MGA", "1.50 MGA"),
            (0, "USD", "0.00 USD"), (100, "BGN", "1.00 BGN"), (4500, "XYZ", "4,500 minor units of XYZ"),
            (1, "", "1 minor units of no currency"),
        ],
    )  # fmt: skip
    def test_for_the_desk_and_for_messages(self, amount: int, currency: str, text: str) -> None:
        assert currencies.shown(amount, currency) == text

    @pytest.mark.parametrize(
        "currency", ["RSD", "ALL", "LBP", "HUF", "IQD", "AFN", "MMK", "YER", "SYP", "COP", "UZS", "CLP"]
    )
    @pytest.mark.parametrize("language", ["en", "es", "pt"])
    def test_in_mails_with_the_decimals_of_the_money_itself(self, currency: str, language: str) -> None:
        facts = {"amount": 155, "currency": currency}
        mail = Mail(kind=MailKind.REFUNDED, language=language, facts=facts)
        written = rendering._told(mail)["money"]
        digits = {0: "155", 2: "1.55", 3: "0.155"}[currencies.exponent(currency)]
        assert written.replace(",", ".").count(digits) == 1

    def test_what_a_person_types_has_no_more_decimals_than_the_money(self) -> None:
        assert currencies.to_minor(Decimal("15.50"), "RSD") == 1550
        for amount, currency in (("12.505", "EUR"), ("1.5", "JPY"), ("1E-7", "KWD")):
            with pytest.raises(errors.ValidationError, match="too many decimals"):
                currencies.to_minor(Decimal(amount), currency)


class TestMessages:
    @pytest.mark.parametrize(
        ("amount", "currency", "message"),
        [
            (49, "EUR", "0.49 EUR cannot be charged; the limits are 0.50 EUR and 999,999.99 EUR."),
            (10**12, "JPY", "1,000,000,000,000 JPY cannot be charged; the limits are 50 JPY and 99,999,999 JPY."),
            (1001, "KWD", "An amount in KWD must be a multiple of 0.010 KWD."),
            (150, "MGA", "An amount in MGA must be a multiple of 1.00 MGA."),
        ],
    )
    def test_of_what_cannot_be_charged(self, amount: int, currency: str, message: str) -> None:
        with pytest.raises(errors.ValidationError) as refused:
            limits.check_amount(provider="stripe", amount=amount, currency=currency)
        assert refused.value.message == message

    @pytest.mark.django_db(transaction=True)
    def test_of_refunds_prices_and_differences(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(activity__rates={"adult": 1599, "yacht": 99_999_999})
        frontend = Frontend.of(slot)
        made = frontend.reserve(slot, capture_method="automatic").json()
        stripe_events.deliver_all(sandbox)
        refused = frontend.post("refunds", {"payment_id": made["payment"]["id"], "amount": 1600}).json()["error"]
        assert (refused["code"], refused["message"]) == (
            "refund_exceeds_payment",
            "Refund exceeds the remaining 15.99 USD.",
        )
        units = [{"unit": "yacht", "quantity": 2}]
        dear = frontend.reserve(slot, units=units).json()["error"]
        assert dear["message"] == "1,999,999.98 USD cannot be charged; the limits are 0.50 USD and 999,999.99 USD."
        payment = Payment.objects.get()
        theirs = registry.get("stripe").fetch(ref=payment.provider_ref, account="")
        contradictions.note_mismatch(payment, replace(theirs, amount=3000, currency="JPY"))
        assert Discrepancy.objects.get().summary == "We ask for 15.99 USD; the provider has 3,000 JPY."

    @pytest.mark.django_db
    def test_of_broken_promises(self) -> None:
        LedgerEntry.objects.create(
            provider="stripe", ref="txn_1", kind="charge", category="charge",
            amount=45000, fee=1230, net=43771, currency="KWD",
            moved=45000, moved_currency="KWD", occurred_at=timezone.now(),
        )  # fmt: skip
        (broken,) = [verdict for verdict in promises.check_all() if verdict.breaches]
        assert broken.examples == [("txn_1", "amount 45.000 KWD, fee 1.230 KWD, net 43.771 KWD, and nobody was told")]


@pytest.mark.django_db
class TestRefusing:
    @pytest.mark.parametrize("code", NONE)
    def test_a_model_takes_none_that_is_not(self, code: str) -> None:
        assert not currencies.is_currency(code)
        for row in (OperatorFactory.build(currency=code), Activity(name="Tour", currency=code)):
            with pytest.raises(ValidationError) as refused:
                row.full_clean()
            assert "currency" in refused.value.message_dict

    @pytest.mark.parametrize("code", ["XYZ", NO_CURRENCY, "BGN", "usd"])
    def test_nor_does_a_form_of_the_desk(self, code: str) -> None:
        operator = OperatorFactory.create()
        before = (Operator.objects.count(), Activity.objects.count())
        root = sign_in(operator=None)
        forms = {
            "/admin/tenants/operator/add/": {"name": "New", "slug": "new", "timezone": "UTC", "language": "en"},
            "/admin/catalogue/activity/add/": {"name": "New", "operator": str(operator.pk), "timezone": "UTC"},
        }
        for page, fields in forms.items():
            answer: Any = root.post(page, {**fields, "currency": code})
            assert answer.status_code == 200
            assert answer.context["adminform"].form.errors["currency"], page
        assert (Operator.objects.count(), Activity.objects.count()) == before

    @pytest.mark.parametrize("code", [*NONE, 840, True, ["USD"], {"code": "USD"}, 1.5])
    def test_nor_does_the_api(self, code: Any) -> None:
        slot = SlotFactory.create()
        answer = Frontend.of(slot).post("payment_intents", {"amount": 100, "currency": code})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (422, "invalid_currency", "currency")
        assert not Payment.objects.exists()
