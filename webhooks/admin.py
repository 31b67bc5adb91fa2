"""The inbox in the backoffice: events, their results, and retries."""

from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from adminkit.actions import reasoned
from adminkit.pages import ReadOnlyAdmin
from payments import formatting
from tenants.roles import Permission
from webhooks import inbox
from webhooks.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events. Only superusers see those without a payment."""

    operator_path = "payment__operator"
    list_display = (
        "event_id",
        "type",
        "status",
        "effect",
        "payment",
        "source",
        "attempts",
        "received_at",
    )
    list_select_related: ClassVar = ["payment"]
    list_filter: ClassVar = ["status", "source"]
    searched_exactly = ("event_id", "object_ref")
    sortable_by = ()
    period = "id"
    captured = formatting.money("captured_amount", currency="captured_currency", description="proves captured")
    # The payload has personal data; what it says stands in the other fields.
    exclude: ClassVar = ["payload", "captured_amount", "captured_currency"]
    readonly_fields: ClassVar = ["captured", "payment_link"]

    @admin.display(description="payment page")
    def payment_link(self, row: Event) -> SafeString | str:
        """Link to its payment."""
        return formatting.link(row.payment)

    @staticmethod
    def _retry(event: Event, actor: str, reason: str) -> str:
        handled = inbox.retry(event_id=event.pk)
        return "The event is handled." if handled else "The event was tried again and failed: see its error."

    actions = (reasoned("Try again", _retry, name="retry", permission=Permission.MONEY),)
