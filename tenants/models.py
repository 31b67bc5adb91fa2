"""Operators, their people and their API clients."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from common import ids, iso_4217


def currency_code(value: str) -> None:
    """Refuse codes without present money: gold, testing, withdrawn currencies."""
    if iso_4217.find_exponent(value) is None:
        raise ValidationError(iso_4217.WANTED, code="invalid_currency")


def time_zone_name(value: str) -> None:
    """Refuse what is not an IANA time zone."""
    if value not in available_timezones():
        raise ValidationError(f"{value} is not an IANA time zone, such as Europe/Lisbon.")


def hold_seconds(value: int) -> None:
    """Refuse a hold longer than the ceiling of the installation.

    It would end sooner than the page says.
    """
    if value > settings.HOLD_CEILING_SECONDS:
        raise ValidationError(
            f"A hold lives {settings.HOLD_CEILING_SECONDS} seconds at most (HOLD_CEILING_SECONDS).", code="hold_ceiling"
        )


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
    cognito_client_id = models.CharField(
        max_length=128, unique=True, null=True, blank=True,
        help_text="The app client of the operator's own frontend: its people are this operator's customers.",
    )  # fmt: skip
    hold_ttl_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), hold_seconds],
        help_text="Seconds, up to HOLD_CEILING_SECONDS. Empty: the installation's HOLD_TTL_SECONDS.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(hold_ttl_seconds=None) | models.Q(hold_ttl_seconds__gte=1),
                name="operator_hold_lives",
                violation_error_message="A hold lives a second at least.",
            ),
            models.CheckConstraint(
                condition=models.Q(language__in=Language.values),
                name="operator_language_known",
                violation_error_message="Mails are written in no such language.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in to the backoffice."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    cognito_sub = models.CharField(
        "Cognito sub", max_length=64, unique=True, null=True, blank=True, editable=False,
        help_text="Who the person is in the Cognito user pool; empty: somebody with a password alone.",
    )  # fmt: skip

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"


class Role(models.TextChoices):
    """A person's role at an operator.

    ``tenants.roles`` says what each may do.
    """

    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    AGENT = "agent", "Agent"
    READ_ONLY = "read_only", "Read-only"


class Member(models.Model):
    """A person's role at an operator, which decides their access."""

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
    SELL = "sell"
    COLLECT = "collect"


class ApiClient(models.Model):
    """A program that calls the API for an operator.

    Such as its booking frontend. Its key is kept only as a hash.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="api_clients")
    name = models.CharField(max_length=200)
    person = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+",
        help_text="Who calls by an ID token; such a client has no key, and may do what the person may.",
    )  # fmt: skip
    key_prefix = models.CharField(
        max_length=16, blank=True, editable=False, help_text="The start of the key, to tell keys apart."
    )
    key_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=[scope.value for scope in Scope]),
                name="api_client_scopes_known",
            ),
            models.UniqueConstraint(fields=["person", "operator"], name="api_client_once_for_a_person"),
            models.CheckConstraint(
                condition=models.Q(person=None, key_hash__isnull=False) | models.Q(person__isnull=False, key_hash=None),
                name="api_client_key_or_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key_prefix}…)" if self.key_prefix else self.name


class SignInPlace(models.Model):
    """A hashed pair of person and address with a past sign-in."""

    mark = models.CharField(primary_key=True, max_length=64, help_text="A keyed hash of both.")
    last_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["last_at"], name="sign_in_place_age")]

    def __str__(self) -> str:
        return self.mark
