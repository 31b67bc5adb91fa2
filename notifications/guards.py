"""Guards of mails: none is deleted, and no sent text is rewritten."""

from common import guards
from common.guards import changed

AFTER = ()

_MAIL, _REFUSE = "notifications_mail", "notifications_mail_is_kept"
_TOLD = changed("id", "operator_id", "reservation_id", "payment_id", "kind", "cause", "language", "facts", "created_at")

GUARDS = (
    guards.refusal(_REFUSE, "what was told is kept"),
    *guards.kept(_MAIL, "mail_is_kept", by=_REFUSE),
    # The address of a mail that was not sent yet may be corrected.
    guards.trigger(
        "mail_tells_what_it_told",
        "BEFORE UPDATE",
        _MAIL,
        calls=_REFUSE,
        condition=f"{_TOLD}\n"
        "OR NEW.round < OLD.round\n"
        'OR ((OLD.status = \'sent\' OR OLD.round > 1) AND OLD."to" IS DISTINCT FROM NEW."to")',
    ),
    # The number of the claim is the fence of its sender: it must never come back.
    guards.trigger(
        "mail_claims_only_grow",
        "BEFORE UPDATE OF attempts, extra_attempts",
        _MAIL,
        calls=_REFUSE,
        condition="NEW.attempts < OLD.attempts OR NEW.extra_attempts < OLD.extra_attempts",
    ),
)
