"""The promises, as the end of a test asks for them."""

from reconciliation import dangling_holds
from reconciliation.promises import check_all


def hold(*, at_provider: bool = False) -> None:
    """Fail with every breach of a promise that is found here and, if wanted, at the provider."""
    verdicts = check_all() + ([dangling_holds.check()] if at_provider else [])
    broken = {verdict.promise.number: verdict.examples for verdict in verdicts if verdict.breaches}
    assert not broken, broken
