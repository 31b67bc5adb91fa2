"""Whose a payment is, at which account, and what drives it, is settled when it is made."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_payment_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'payment % stays with its operator, its account and what drives it', OLD.id
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'payment_is_fixed';
END $$;
CREATE TRIGGER payment_is_fixed
    BEFORE UPDATE OF operator_id, provider, provider_account, provider_ref, managed_by ON payments_payment
    FOR EACH ROW WHEN (
        (OLD.operator_id, OLD.provider, OLD.provider_account, OLD.managed_by)
            IS DISTINCT FROM (NEW.operator_id, NEW.provider, NEW.provider_account, NEW.managed_by)
        OR (OLD.provider_ref <> '' AND NEW.provider_ref <> OLD.provider_ref)
    )
    EXECUTE FUNCTION payments_payment_is_fixed();
"""

BACKWARD = """
DROP TRIGGER payment_is_fixed ON payments_payment;
DROP FUNCTION payments_payment_is_fixed();
"""


class Migration(migrations.Migration):
    """A trigger of the payments."""

    dependencies: ClassVar = [("payments", "0011_guard_of_payment_states")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
