"""A provider that costs nothing but, if asked for, time: it answers in-process, and holds whatever it is asked to."""

import os
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from payments.outcome_types import Outcome, ProviderPayment
from payments.providers import registry
from payments.providers.stripe.adapter import StripeProvider

SECONDS = float(os.environ.get("BENCHMARK_PROVIDER_SECONDS", "0"))
"""How long the provider takes for an answer."""


def install() -> None:
    """Let it be Stripe in this process."""
    registry._MAKERS["stripe"] = NullProvider.from_settings


class NullProvider(StripeProvider):
    """Stripe as far as its events go; its API is nobody's."""

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Hold the money, after as long as the provider takes."""
        if SECONDS:
            time.sleep(SECONDS)
        return ProviderPayment(
            ref=f"pi_{key}",
            outcome=Outcome.HELD,
            amount=int(parameters["amount"]),
            currency=str(parameters["currency"]),
            account=account,
            payment_id=UUID(str(parameters["payment_id"])),
            client_secret=f"pi_{key}_secret",
        )

    def fetch(self, *, ref: str, account: str) -> ProviderPayment:
        """Answer that it is still on its way."""
        return ProviderPayment(ref=ref, outcome=Outcome.PROCESSING, amount=4500, currency="USD", account=account)
