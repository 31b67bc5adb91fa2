"""What is a history or evidence is neither deleted nor emptied: TRUNCATE asks no trigger of a row."""

from typing import ClassVar

from django.db import migrations

FORWARD = """
CREATE TRIGGER attempt_is_kept BEFORE DELETE ON payments_attempt
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();

CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_payment
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_paymenthistory
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_command
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_refund
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_dispute
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER is_never_emptied BEFORE TRUNCATE ON payments_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
"""

BACKWARD = """
DROP TRIGGER is_never_emptied ON payments_attempt;
DROP TRIGGER is_never_emptied ON payments_dispute;
DROP TRIGGER is_never_emptied ON payments_refund;
DROP TRIGGER is_never_emptied ON payments_command;
DROP TRIGGER is_never_emptied ON payments_paymenthistory;
DROP TRIGGER is_never_emptied ON payments_payment;
DROP TRIGGER attempt_is_kept ON payments_attempt;
"""


class Migration(migrations.Migration):
    """Triggers against TRUNCATE."""

    dependencies: ClassVar = [("payments", "0013_news_that_waits")]
    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
