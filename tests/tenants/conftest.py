"""A user pool, and calls of the API with its tokens."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tenants.models import Operator
from tests.support import user_pool as pools
from tests.support.factories import OperatorFactory
from tests.support.user_pool import CLIENT, Pool


@pytest.fixture
def pool(settings: Settings) -> Iterator[Pool]:
    with pools.running() as running:
        settings.COGNITO_USER_POOL_ID, settings.COGNITO_REGION = pools.POOL, pools.REGION
        settings.COGNITO_CLIENT_ID, settings.COGNITO_ENDPOINT = CLIENT, running.url
        yield running


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(slug="kayaks")
