"""A line of the log: it says what went wrong, and nothing of whom."""

import json
import logging
import traceback

import pytest
from django.db import IntegrityError

from common.logs import JsonFormatter
from tenants.models import Operator
from tests.support.factories import SlotFactory

pytestmark = pytest.mark.django_db


def logged(error: BaseException) -> str:
    record = logging.makeLogRecord({"msg": "It failed.", "exc_info": (type(error), error, error.__traceback__)})
    return str(json.loads(JsonFormatter().format(record))["traceback"])


def test_a_row_that_the_database_refused_is_not_told() -> None:
    known = SlotFactory.create().activity.operator
    with pytest.raises(IntegrityError) as refused:
        Operator.objects.create(name="Ana Souza", slug=known.slug, currency="USD", timezone="UTC")
    assert known.slug in str(refused.value)
    text = logged(refused.value)
    assert known.slug not in text
    assert "duplicate key value" in text
    assert "(left out)" in text


def test_the_error_behind_another_is_not_told_either() -> None:
    known = SlotFactory.create().activity.operator
    with pytest.raises(ValueError, match="not this time") as refused:  # noqa: PT012  # the second is raised in the first
        try:
            Operator.objects.create(name="Ana Souza", slug=known.slug, currency="USD", timezone="UTC")
        except IntegrityError:
            raise ValueError("not this time")  # noqa: B904  # while the first is handled
    text = logged(refused.value)
    assert "duplicate key value" in text
    assert known.slug not in text


def test_a_message_made_of_such_an_error_does_not_tell_it() -> None:
    known = SlotFactory.create().activity.operator
    with pytest.raises(IntegrityError) as refused:
        Operator.objects.create(name="Ana Souza", slug=known.slug, currency="USD", timezone="UTC")
    told = "".join(traceback.format_exception(refused.value))
    result = f"{refused.value} : {told}"  # as django-q2 tells of a task that failed
    record = logging.makeLogRecord({"msg": f"Failed - {result}"})
    text = str(json.loads(JsonFormatter().format(record))["message"])
    assert known.slug in result
    assert known.slug not in text
    assert text.count("duplicate key value") == result.count("duplicate key value")
