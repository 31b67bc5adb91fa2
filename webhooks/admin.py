"""The inbox in the backoffice: what came, what came of it, and having it tried again."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from payments import showing
from tenants.backoffice import ReadOnlyAdmin, reasoned
from tenants.roles import Power
from webhooks import inbox
from webhooks.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events. Those of no payment (yet) are seen by superusers only: whose they are is not known."""

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
    search_fields: ClassVar = ["event_id", "object_ref"]
    date_hierarchy = "received_at"
    exclude: ClassVar = ["payload"]  # it has personal data; what it says stands in the other fields
    readonly_fields: ClassVar = ["payment_link"]

    @admin.display(description="payment page")
    def payment_link(self, row: Event) -> SafeString | str:
        """Link to its payment."""
        return showing.link(row.payment)

    @staticmethod
    def _retry(event: Event, actor: str, reason: str) -> str:
        settled = inbox.retry(event_id=event.pk)
        return f"Tried again by {actor}: {'settled' if settled else 'not settled'}."

    actions = (reasoned("Try again", _retry, name="retry", power=Power.SETTLE),)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Offer the types only to those who see all events: the choices come from everybody's."""
        return ("status", "source", "type") if request.user.is_superuser else ("status", "source")
