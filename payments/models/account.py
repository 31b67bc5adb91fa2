"""An operator's account at a provider.

Where its guests' money goes, and which secrets speak for it.
"""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Upper

from common import ids
from tenants.models import Operator

KEY, WEBHOOK_SECRETS = "_API_KEY", "_WEBHOOK_SECRETS"
"""End the names of the platform's own secrets at a provider, after its name in capitals."""

_reference = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", "The provider's id of an account: letters, digits, _ and -.")
_secret_name = RegexValidator(r"\A[A-Z][A-Z0-9_]*\Z", "The name of a variable, such as KAYAKS_API_KEY.")


class Mode(models.TextChoices):
    """Whether an account moves real money."""

    LIVE = "live", "Live"
    TEST = "test", "Test"


class ProviderAccount(models.Model):
    """An account of one operator at one provider.

    Secrets are named here and kept in the environment.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="provider_accounts", db_index=False)
    provider = models.CharField(max_length=32)
    reference = models.CharField(
        max_length=64,
        blank=True,
        validators=[_reference],
        help_text="The provider's id of the account. Empty: the platform's own account.",
    )
    mode = models.CharField(max_length=8, choices=Mode.choices)
    secret_name = models.CharField(
        "name of its key",
        max_length=100,
        blank=True,
        validators=[_secret_name],
        help_text="The variable that holds the account's own key. Empty: it is called with the platform's key.",
    )
    webhook_secrets_name = models.CharField(
        "name of its webhook secrets",
        max_length=100,
        blank=True,
        validators=[_secret_name],
        help_text="The variable that holds the secrets of its own webhook. Empty: the platform's secrets.",
    )
    is_active = models.BooleanField(
        "takes new sales",
        default=True,
        help_text="One account of each provider does. The others are still refunded from, heard and reconciled.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "reference"],
                condition=~Q(reference=""),
                name="account_once",
                violation_error_message="This account is registered already; an account is of one operator.",
            ),
            models.UniqueConstraint(
                fields=["operator", "provider"],
                condition=Q(reference=""),
                name="account_of_the_platform_once",
                violation_error_message="The operator has the platform's account at this provider already.",
            ),
            models.UniqueConstraint(
                fields=["operator", "provider"],
                condition=Q(is_active=True),
                name="account_takes_sales_once",
                violation_error_message="One account of a provider takes new sales: switch the other one off first.",
            ),
            models.UniqueConstraint(
                fields=["secret_name"],
                condition=~Q(secret_name=""),
                name="account_key_once",
                violation_error_message="Another account's key has this name; a key is of one account.",
            ),
            models.UniqueConstraint(
                fields=["webhook_secrets_name"],
                condition=~Q(webhook_secrets_name=""),
                name="account_webhook_secrets_once",
                violation_error_message="Another account's webhook secrets have this name; they are of one account.",
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="account_mode_known"),
            models.CheckConstraint(
                condition=Q(secret_name="") | ~Q(reference=""),
                name="account_key_is_of_a_named_account",
                violation_error_message="An account with a key of its own must be named.",
            ),
            models.CheckConstraint(
                condition=Q(webhook_secrets_name="") | ~Q(secret_name=""),
                name="account_webhook_secrets_have_a_key",
                violation_error_message="An account with webhook secrets of its own needs a key of its own.",
            ),
            models.CheckConstraint(
                condition=~Q(secret_name=Concat(Upper(F("provider")), Value(KEY)))
                & ~Q(webhook_secrets_name=Concat(Upper(F("provider")), Value(WEBHOOK_SECRETS))),
                name="account_secret_is_not_the_platforms",
                violation_error_message="This names the platform's own secret.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.reference or '(the platform’s own)'}"
