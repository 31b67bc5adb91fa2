"""The database is as the models say: a migration can take away more than it was to."""

from django.apps import apps
from django.db import connection

OURS = ("booking", "catalogue", "payments", "webhooks", "reconciliation", "notifications", "idempotency", "sweeps",
        "tenants",
        "adminkit")  # fmt: skip


def test_every_index_and_constraint_of_the_models_is_there(db: None) -> None:
    wanted = {
        (model._meta.db_table, named.name)
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        if model._meta.managed
        for named in (*model._meta.indexes, *model._meta.constraints)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public' UNION "
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        )
        there = set(cursor.fetchall())
    assert len(wanted) > 60
    assert wanted <= there, f"missing: {wanted - there}"
