"""The inbox in the backoffice: events and notices, their results, and retries."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from adminkit.actions import reasoned
from adminkit.pages import ReadOnlyAdmin, SuperuserAdmin
from payments import formatting
from tenants.roles import Permission
from webhooks import inbox, notices
from webhooks.models import Event, Notice


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


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin, SuperuserAdmin):
    """Notices, for superusers only.

    Until it is looked up, one is of no operator.
    """

    operator_path = ""
    list_display = ("lookup_ref", "type", "status", "deliveries", "attempts", "last_error", "received_at")
    list_filter: ClassVar = ["status", "provider"]
    searched_exactly = ("lookup_ref", "delivery_id")
    sortable_by = ()
    period = "id"
    # The payload may have personal data; what it says stands in the other fields.
    exclude: ClassVar = ["payload", "event"]
    readonly_fields: ClassVar = ["event_link"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show all; who may look at all is asked before."""
        return Notice.objects.all()

    @admin.display(description="event")
    def event_link(self, row: Notice) -> SafeString | str:
        """Link to what the look has shown."""
        return formatting.link(row.event)

    @staticmethod
    def _look_again(notice: Notice, actor: str, reason: str) -> str:
        notices.look_again(notice_id=notice.pk)
        return f"{notice.lookup_ref} is looked up once more."

    actions = (reasoned("Look again", _look_again, name="look_again", permission=Permission.MONEY),)
