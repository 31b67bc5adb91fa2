"""Guards of what people did in the backoffice."""

from common import guards

AFTER = ("admin",)

_LOG = "django_admin_log"

GUARDS = (
    guards.refusal("tenants_staff_log_is_kept", "it is append-only"),
    *guards.append_only(_LOG, "staff_log_is_append_only", by="tenants_staff_log_is_kept"),
)
