"""The mails in the backoffice: what was sent to whom, what was not, and sending one again."""

from typing import ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString

from notifications import rendering, sending
from notifications.models import Mail
from payments import showing
from tenants.backoffice import ReadOnlyAdmin, reasoned
from tenants.roles import Power


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """Mails; those of no operator are seen by superusers only."""

    list_display = ("kind", "to", "status", "reservation", "attempts", "last_error", "created_at", "sent_at")
    list_filter: ClassVar = ["status", "kind", "language"]
    list_select_related: ClassVar = ["reservation"]
    search_fields: ClassVar = ["reservation__reference", "reservation__customer_email"]
    date_hierarchy = "created_at"
    fields: ClassVar = [
        "kind", "to", "language", "status", "operator", "reservation_link", "attempts", "next_attempt_at", "last_error",
        "created_at", "sent_at", "text",
    ]  # fmt: skip
    readonly_fields: ClassVar = ["reservation_link", "text"]

    @admin.display(description="reservation")
    def reservation_link(self, row: Mail) -> SafeString | str:
        """Link to the reservation."""
        return showing.link(row.reservation)

    @admin.display(description="text")
    def text(self, row: Mail) -> str:
        """Show what it says."""
        written = rendering.message(row)
        return f"{written.subject}\n\n{written.body}"

    @staticmethod
    def _send_again(mail: Mail, actor: str, reason: str) -> str:
        sending.send_again(mail_id=mail.pk)
        return f"Sent again for {actor}."

    actions = (reasoned("Send again", _send_again, name="send_again", power=Power.SERVE),)
