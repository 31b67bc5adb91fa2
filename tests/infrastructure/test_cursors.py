"""Rows are read by a cursor at the server inside a transaction only: outside, a pooler would lose it."""

import pytest
from django.db import connection, transaction

from tenants.models import Operator
from tests.support.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)


def cursors_while_reading() -> int:
    rows = Operator.objects.iterator(chunk_size=1)
    next(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_cursors WHERE name <> ''")
        (number,) = cursor.fetchone()
    assert len(list(rows)) == 2
    return int(number)


def test_a_cursor_at_the_server_is_used_inside_a_transaction_only() -> None:
    OperatorFactory.create_batch(3)
    assert cursors_while_reading() == 0
    with transaction.atomic():
        assert cursors_while_reading() == 1
