"""Names of actors in histories, and which of them others may read."""

_PERSONS = ("client", "user")
_PROVIDERS = ("event", "provider")


def role_of(actor: str, *, customer: str = "") -> str:
    """Return the role of an actor: customer, staff, provider or system.

    ``customer`` is the actor's name of the customer who reads it; everybody else of the operator's is staff to them.
    """
    kind = actor.partition(":")[0]
    if kind in _PERSONS:
        return "customer" if customer and actor == customer else "staff"
    return "provider" if kind in _PROVIDERS else "system"
