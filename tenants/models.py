"""Operators, their people and their API clients."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from common import ids

currency_code = RegexValidator(r"\A[A-Z]{3}\Z", "An ISO 4217 code in upper case, such as USD.")


def time_zone_name(value: str) -> None:
    """Refuse what is not an IANA time zone."""
    if value not in available_timezones():
        raise ValidationError(f"{value} is not an IANA time zone, such as Europe/Lisbon.")


class Language(models.TextChoices):
    """What mails are written in."""

    ENGLISH = "en", "English"
    SPANISH = "es", "Spanish"
    PORTUGUESE = "pt", "Portuguese"


class Operator(models.Model):
    """A tenant: a business that sells tours and activities."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[time_zone_name])
    currency = models.CharField(max_length=3, validators=[currency_code])
    language = models.CharField(
        max_length=2,
        choices=Language.choices,
        default=Language.ENGLISH,
        help_text="Of mails to the staff, and to guests who have not said theirs.",
    )
    stripe_account = models.CharField(
        max_length=64, blank=True, help_text="Connected account (acct_…); empty: the platform's own account."
    )
    hold_ttl_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Empty: the installation's HOLD_TTL_SECONDS.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in to the backoffice."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)


class Role(models.TextChoices):
    """What a person is at an operator; ``tenants.roles`` says what each may do."""

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    AGENT = "agent", "Agent"
    READ_ONLY = "read_only", "Read-only"


class Member(models.Model):
    """A person's place at an operator: whose objects they see in the backoffice, and what they may do to them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.AGENT)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "operator"], name="member_once_per_operator"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.operator}"


class Scope(models.TextChoices):
    """What an API client may do."""

    READ = "read"
    BOOK = "book"
    REFUND = "refund"


class ApiClient(models.Model):
    """A program that calls the API for an operator, such as its booking frontend. Its key is kept only as a hash."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="api_clients")
    name = models.CharField(max_length=200)
    key_prefix = models.CharField(max_length=16, editable=False, help_text="The start of the key, to tell keys apart.")
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=[scope.value for scope in Scope]),
                name="api_client_scopes_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key_prefix}…)"
