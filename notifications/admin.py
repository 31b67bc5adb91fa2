"""Mails in the backoffice: what was sent to whom, and sending again."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from adminkit.actions import reasoned
from adminkit.pages import ReadOnlyAdmin, once
from booking import search
from notifications import rendering, sending
from notifications.models import Mail
from payments import formatting
from tenants import scoping
from tenants.roles import Permission


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """Mails; those of no operator are seen by superusers only."""

    list_display = ("kind", "to", "status", "reservation", "attempts", "last_error", "created_at", "sent_at")
    list_filter: ClassVar = ["status", "kind"]
    list_select_related: ClassVar = ["reservation"]
    search_fields: ClassVar = ["reservation__reference"]
    search_help_text = "A reference, a name, a mail address, or an id of the payment."
    sortable_by = ()
    period = "id"
    fields: ClassVar = [
        "kind", "to", "language", "status", "operator", "reservation_link", "attempts", "next_attempt_at", "last_error",
        "created_at", "sent_at", "text",
    ]  # fmt: skip
    readonly_fields: ClassVar = ["reservation_link", "text"]

    def meant_by(self, text: str, request: HttpRequest) -> Q:
        """Find the mails of the reservations that a text means."""
        return Q(reservation__in=search.find(text, operators=scoping.operators_of(request.user)))

    @admin.display(description="reservation")
    def reservation_link(self, row: Mail) -> SafeString | str:
        """Link to the reservation."""
        return formatting.link(row.reservation)

    @admin.display(description="text")
    @once
    def text(self, row: Mail) -> str:
        """Show what it says."""
        written = rendering.message(row)
        return f"{written.subject}\n\n{written.body}"

    @staticmethod
    def _send_again(mail: Mail, actor: str, reason: str) -> str:
        sending.send_again(mail_id=mail.pk)
        return f"The mail goes out again to {', '.join(mail.to)}."

    actions = (reasoned("Send again", _send_again, name="send_again", permission=Permission.RESERVATIONS),)
