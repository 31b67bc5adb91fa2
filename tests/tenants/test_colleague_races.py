"""Owners who remove each other at one moment: the operator keeps one of them."""

import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from common.errors import HoldfastError
from tenants import colleagues, locks
from tenants.models import Member, Operator, Role, User
from tests.support.factories import OperatorFactory
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

AGENT = {"role": Role.AGENT}


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(slug="kayaks", name="Kayaks")


@pytest.fixture
def owners(operator: Operator) -> list[User]:
    return [make(name, operator) for name in ("ana", "rui")]


def make(name: str, *operators: Operator) -> User:
    person = User.objects.create_user(name, password="x", is_staff=True)
    Member.objects.bulk_create([Member(user=person, operator=operator, role=Role.OWNER) for operator in operators])
    return person


def meet(monkeypatch: pytest.MonkeyPatch, *, is_locked: bool = True) -> None:
    """Let both have seen who else is there before either writes, if the lock lets them."""
    look, both = colleagues._place, threading.Barrier(2)

    def look_and_wait(*who: Any, **known: Any) -> Member:
        place = look(*who, **known)
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.4 if is_locked else 20)
        return place

    monkeypatch.setattr(colleagues, "_place", look_and_wait)
    if not is_locked:
        monkeypatch.setattr(locks, "lock_people", lambda **known: None)


def attempt(act: Any, person: User, operator: Operator, **given: Any) -> str:
    try:
        act(person=person, operator=operator, **given)
    except HoldfastError as refusal:
        return refusal.code
    return "done"


class TestOwners:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ((colleagues.remove, {}), (colleagues.remove, {})),
            ((colleagues.remove, {}), (colleagues.change_role, AGENT)),
            ((colleagues.change_role, AGENT), (colleagues.change_role, AGENT)),
        ],
        ids=["remove and remove", "remove and demote", "demote and demote"],
    )
    def test_one_of_two_stays(
        self, monkeypatch: pytest.MonkeyPatch, operator: Operator, owners: list[User], first: Any, second: Any
    ) -> None:
        meet(monkeypatch)
        runs = [(first, owners[1]), (second, owners[0])]
        answers = race([partial(attempt, run[0], of, operator, **run[1]) for run, of in runs])
        assert sorted(answers) == ["done", "last_owner"]
        assert operator.members.filter(role=Role.OWNER, user__is_active=True).count() == 1

    def test_without_the_lock_none_stays(
        self, monkeypatch: pytest.MonkeyPatch, operator: Operator, owners: list[User]
    ) -> None:
        meet(monkeypatch, is_locked=False)
        answers = race([partial(attempt, colleagues.remove, person, operator) for person in owners])
        assert answers == ["done", "done"]
        assert not operator.members.exists()


class TestPerson:
    def test_who_is_removed_at_both_operators_cannot_sign_in(
        self, monkeypatch: pytest.MonkeyPatch, operator: Operator, owners: list[User]
    ) -> None:
        other = OperatorFactory.create(slug="surf")
        make("eva", other)
        person = make("gil", operator, other)
        meet(monkeypatch)
        answers = race([partial(attempt, colleagues.remove, person, at) for at in (operator, other)])
        assert answers == ["done", "done"]
        person.refresh_from_db()
        assert not person.memberships.exists()
        assert not person.is_active
