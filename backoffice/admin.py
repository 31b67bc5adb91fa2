"""Admin pages of libraries: failed tasks are shown, the rest is not."""

from typing import ClassVar

from django.contrib import admin
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Failure, OrmQ, Schedule, Success

from adminkit.pages import ReadOnlyAdmin, SuperuserAdmin
from backoffice import operators, people

__all__ = ["operators", "people"]  # registered where they are written

# A schedule calls any function by its name, and the key of a second factor is a secret: neither is anybody's to edit.
# (Tasks that wait are registered only where the queue is in the database.)
for _model in (Failure, OrmQ, Schedule, Success, TOTPDevice):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Failure)
class FailureAdmin(ReadOnlyAdmin, SuperuserAdmin):
    """Tasks that ended in an error.

    Their work is in our tables, and a sweep takes it up again.
    """

    operator_path = ""
    list_display = ("name", "group", "func", "started", "stopped", "short_result")
    sortable_by = ()
    fields: ClassVar = ["name", "group", "func", "started", "stopped", "attempt_count", "result"]
    ordering: ClassVar = ["-stopped"]

    @admin.display(description="error")
    def short_result(self, row: Failure) -> str:
        """Show the beginning of the error."""
        return str(row.result)[:120]
