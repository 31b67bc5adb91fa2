"""A provider that costs nothing but, if asked for, time: it answers in-process, and holds whatever it is asked to."""

import os
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from payments.outcomes import Outcome, ProviderPayment
from payments.providers.stripe import StripeProvider

SECONDS = float(os.environ.get("BENCHMARK_PROVIDER_SECONDS", "0"))
"""How long the provider takes for an answer."""


class NullProvider(StripeProvider):
    """Stripe as far as its events go; its API is nobody's."""

    def authorize(self, *, parameters: Mapping[str, Any], key: str, account: str) -> ProviderPayment:
        """Hold the money, after as long as the provider takes."""
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
