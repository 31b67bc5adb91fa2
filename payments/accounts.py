"""Operators' accounts at providers.

Which one takes a new sale, and what an account must be like.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from common import database
from payments import credentials
from payments.models import Mode, Payment, ProviderAccount
from payments.providers import registry
from tenants.models import Operator

_MESSAGES = {each.name: each.violation_error_message for each in ProviderAccount._meta.constraints}


def mode_here(provider: str) -> Mode:
    """Return the mode that this installation has at a provider."""
    return Mode.LIVE if registry.get(provider).is_live else Mode.TEST


def mode_of_sales(provider: str) -> str:
    """Name the mode here at a provider; nothing where none is asked."""
    return mode_here(provider).value if provider else ""


def taking_sales(*, operator: Any, provider: str, mode: str) -> QuerySet[ProviderAccount]:
    """Select the account that takes an operator's new sales.

    One row or none.

    ``operator`` may be a reference to a column, for use in a query that exists.
    """
    return ProviderAccount.objects.filter(operator=operator, provider=provider, mode=mode, is_active=True)


def of_operator(operator: Any) -> QuerySet[ProviderAccount]:
    """Select an operator's accounts that take new sales, oldest first.

    Those of this installation's mode, at any provider. ``operator`` is an id, or a reference to a column.
    """
    here = Q()
    for provider in registry.names():
        here |= Q(provider=provider, mode=mode_here(provider))
    return ProviderAccount.objects.filter(here, operator=operator, is_active=True).order_by("pk")


def operators_without() -> QuerySet[Operator]:
    """Select active operators that sell nothing: no account takes their sales here."""
    selling = of_operator(OuterRef("pk"))
    return Operator.objects.filter(~Exists(selling), is_active=True)


def add(*, operator: Operator, provider: str, reference: str = "", **more: Any) -> ProviderAccount:
    """Register an account of an operator.

    In the mode of this installation unless ``more`` names another.

    Raises:
        ValidationError: No such account can be had here, or it is another operator's.
    """
    if "mode" not in more and provider in registry.names():
        more["mode"] = mode_here(provider)
    account = ProviderAccount(operator=operator, provider=provider, reference=reference, **more)
    check(account)
    account.full_clean()
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        message = _MESSAGES.get(database.violated(error))
        if message is None:
            raise
        raise ValidationError(message) from error  # somebody was first, since it was checked
    credentials.forget()
    return account


def check(account: ProviderAccount) -> None:
    """Refuse an account that cannot be used by this installation.

    Raises:
        ValidationError: By field, what is wrong with it.
    """
    problems: dict[str, str] = {}
    if account.provider not in registry.names():
        raise ValidationError({"provider": f"There is no provider of this name: {', '.join(registry.names())}."})
    if account.reference:
        try:
            registry.get(account.provider).check_account(reference=account.reference)
        except ValidationError as error:
            problems["reference"] = " ".join(error.messages)
    if wrong := why_not_here(account):
        problems["mode"] = wrong
    for field in ("secret_name", "webhook_secrets_name"):
        if getattr(account, field) in settings.ENVIRONMENT.names:
            problems[field] = "This names a secret of the installation itself."
    if problems:
        raise ValidationError(dict(problems))


def why_not_here(account: ProviderAccount) -> str:
    """Return why an account cannot be used here; empty if it can."""
    here = mode_here(account.provider)
    if account.mode == here:
        return ""
    return f"This is a {here} installation: a {account.mode} account of {account.provider} cannot be used here."


def is_used(account: ProviderAccount) -> bool:
    """Tell whether payments were made through an account.

    Its operator, provider, reference and mode are fixed then.
    """
    made = Payment.objects.filter(
        operator=account.operator_id, provider=account.provider, provider_account=account.reference
    )
    return made.exists()
