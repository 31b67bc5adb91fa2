"""Locks on an operator's people. Order: operator → person.

Nothing else is locked with them.
"""

from uuid import UUID

from common import database
from tenants.models import Operator, User


def lock_people(*, operator_id: UUID, person_id: UUID) -> None:
    """Lock an operator's members and a person, to change their role.

    ``FOR NO KEY UPDATE``: the foreign keys of sales take a key-share lock on the operator, and do not wait.
    """
    database.require_transaction()
    list(Operator.objects.select_for_update(no_key=True).filter(pk=operator_id).order_by().values_list("pk"))
    list(User.objects.select_for_update(no_key=True).filter(pk=person_id).values_list("pk"))
