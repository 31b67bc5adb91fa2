"""docs/guards.md is what the database has."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from reconciliation import guards_page
from tests.support.environment import ROOT

pytestmark = pytest.mark.django_db


def printed() -> str:
    out = StringIO()
    call_command("guards", stdout=out)
    return out.getvalue()


class TestPage:
    def test_is_what_the_database_has(self) -> None:
        told = "docs/guards.md is of another database; write it anew: manage.py guards > docs/guards.md"
        assert printed() == (ROOT / "docs" / "guards.md").read_text(), told

    def test_one_that_is_taken_away_is_missed(self) -> None:
        before = printed()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalogue_slot DROP CONSTRAINT slot_not_oversold")
        assert printed() != before

    def test_one_that_is_switched_off_is_missed(self) -> None:
        before = printed()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalogue_slot DISABLE TRIGGER USER")
        assert printed() != before

    def test_one_that_is_changed_is_seen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE FUNCTION says_no() RETURNS trigger LANGUAGE plpgsql AS "
                           "$$BEGIN RAISE EXCEPTION 'it''s no'; END$$")  # fmt: skip
            cursor.execute("CREATE TRIGGER no BEFORE UPDATE OF name ON catalogue_activity "
                           "FOR EACH ROW EXECUTE FUNCTION says_no()")  # fmt: skip
        found = {guard.name: guard for guard in guards_page.present()}
        assert found["no"] == guards_page.Guard("catalogue_activity", "no", "before update of name", "refuses: it's no")

    def test_every_append_only_table_refuses_to_be_emptied(self) -> None:
        truncated = {guard.table for guard in guards_page.present() if "before truncate" in guard.when}
        assert {"booking_history", "payments_refundhistory", "catalogue_offerhistory", "django_admin_log"} <= truncated
