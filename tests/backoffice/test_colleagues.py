"""Colleagues: made with a role by an owner, signed in by a link; of people elsewhere nothing is told."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tenants.models import Member, Operator, Role, User
from tests.support.desk import list_of, page_of, sign_in
from tests.support.factories import OperatorFactory

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:tenants_user_add"
PASSWORD = "a sea of kayaks"


@pytest.fixture
def operator() -> Operator:
    return OperatorFactory.create(slug="kayaks", name="Kayaks")


@pytest.fixture
def owner(operator: Operator) -> Client:
    return sign_in(operator=operator, role=Role.OWNER)


@pytest.fixture
def elsewhere() -> User:
    """Somebody of another operator, with the name and the address that ours is about to have."""
    person = User.objects.create_user("ana@kayaks.other", email="ana@example.com", password="theirs", is_staff=True)
    Member.objects.create(user=person, operator=OperatorFactory.create(name="Unseen"), role=Role.OWNER)
    User.objects.create_user("ana", email="ana@example.com", password="theirs", is_staff=True)
    return person


def add(client: Client, **given: str) -> Any:
    body = {"email": "ana@example.com", "first_name": "Ana", "last_name": "Souza", "role": "agent"}
    return client.post(reverse(ADD), body | given, follow=True)


def link_in(page: Any) -> str:
    found = re.search(r"http://testserver(/admin/set-password/[\w./-]+)", page.content.decode())
    assert found is not None, page.content.decode()
    return found[1]


def set_password(link: str, password: str = PASSWORD) -> Any:
    """Open a link and set a password."""
    client = Client()
    page: Any = client.get(link, follow=True)
    path = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(path, {"new_password1": password, "new_password2": password}, follow=True)


def act(client: Client, person: User, action: str, **given: str) -> str:
    body = {"action": action, "_selected_action": str(person.pk), "reason": "as agreed", **given}
    return client.post(list_of(User), body, follow=True).content.decode()


class TestAdding:
    def test_an_owner_adds_a_colleague_who_signs_in(self, owner: Client, operator: Operator) -> None:
        form = owner.get(reverse(ADD)).content.decode()
        for name in ("email", "username", "first_name", "last_name", "operator", "role"):
            assert f'name="{name}"' in form, name
        page = add(owner, role="manager")
        made = User.objects.get(email="ana@example.com")
        assert (made.username, made.is_staff, made.is_superuser) == ("ana@kayaks", True, False)
        assert not made.has_usable_password()
        place = made.memberships.get()
        assert (place.operator, place.role) == (operator, "manager")
        link = link_in(page)
        assert "Sign in as ana@kayaks" in set_password(link).content.decode()
        for name in ("ana@kayaks", "ana@example.com", "ANA@example.com", "ana"):
            assert Client().login(username=name, password=PASSWORD), name
            assert not Client().login(username=name, password="another one"), name
        assert link not in owner.get(page_of(made)).content.decode()
        assert "set-password" not in str(list(LogEntry.objects.values_list("change_message", flat=True)))

    def test_the_link_works_once_and_for_a_time(self, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        link = link_in(add(owner))
        late = datetime.now() + timedelta(days=4)  # noqa: DTZ005  # as Django counts
        with monkeypatch.context() as later:
            later.setattr(PasswordResetTokenGenerator, "_now", lambda self: late)
            assert "its time is over" in Client().get(link, follow=True).content.decode()
        set_password(link)
        assert "was used already" in Client().get(link, follow=True).content.decode()
        set_password(link, "another one of kayaks")
        assert Client().login(username="ana@kayaks", password=PASSWORD)

    def test_a_weak_password_is_refused(self, owner: Client) -> None:
        assert "too common" in set_password(link_in(add(owner)), "password").content.decode()
        assert not User.objects.get(email="ana@example.com").has_usable_password()

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT, Role.READ_ONLY])
    def test_nobody_but_an_owner_does(self, operator: Operator, role: Role) -> None:
        client = sign_in(operator=operator, role=role)
        assert client.get(reverse(ADD)).status_code == client.get(list_of(User)).status_code == 403
        assert add(client).status_code == 403
        assert User.objects.count() == 1

    def test_never_into_another_operator(self, owner: Client) -> None:
        other = OperatorFactory.create()
        page = add(owner, operator=str(other.pk)).content.decode()
        assert "Select a valid choice" in page
        assert not other.members.exists()
        assert User.objects.count() == 1

    def test_where_one_is_less_one_gives_less(self, owner: Client) -> None:
        """An owner of one operator is a manager of another, and has no power over people there."""
        other = OperatorFactory.create()
        Member.objects.create(user=User.objects.get(), operator=other, role=Role.MANAGER)
        add(owner, operator=str(other.pk))
        assert not other.members.filter(user__email="ana@example.com").exists()

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"email": "", "username": ""}, "Enter a name or a mail address."),
            ({"email": "no address"}, "Enter a valid email address."),
            ({"role": "superuser"}, "Select a valid choice."),
            ({"role": ""}, "This field is required."),
            ({"username": "x" * 61}, "at most 60 characters"),
            ({"email": f"{'x' * 300}@example.com"}, "at most 254 characters"),
        ],
    )
    def test_what_is_wrong_is_told_and_what_was_typed_stays(
        self, owner: Client, given: dict[str, str], told: str
    ) -> None:
        page = add(owner, **given).content.decode()
        assert told in page
        assert 'value="Souza"' in page
        assert User.objects.count() == 1

    def test_a_duplicate_is_told(self, owner: Client) -> None:
        add(owner)
        for given in ({}, {"username": "other"}, {"email": "", "username": "ana"}, {"email": "ANA@example.com"}):
            assert "ana@kayaks is already a colleague at Kayaks." in add(owner, **given).content.decode()
        assert User.objects.filter(memberships__operator__slug="kayaks").count() == 2

    def test_whether_somebody_is_elsewhere_is_not_told(self, owner: Client, operator: Operator) -> None:
        """The same answers, whether the person exists elsewhere or not, and nothing of theirs is touched."""

        def answers() -> list[str]:
            pages = [add(owner, role="manager"), owner.get(list_of(User)), add(owner)]
            return [
                re.sub(r"[0-9a-f-]{36}|set-password/\S+|[\w]{32,}|\d\d:\d\d(:\d\d)?", "…", text_of(page))
                for page in pages
            ]

        alone = answers()
        User.objects.filter(email="ana@example.com").delete()
        person = User.objects.create_user("ana", email="ana@example.com", password="theirs", is_staff=True)
        Member.objects.create(user=person, operator=OperatorFactory.create(name="Unseen"), role=Role.OWNER)
        before = User.objects.filter(pk=person.pk).values().get()
        for page, same in zip(answers(), alone, strict=True):
            assert page.split() == same.split()
        assert User.objects.filter(pk=person.pk).values().get() == before
        assert [place.operator.name for place in person.memberships.all()] == ["Unseen"]
        assert Client().login(username="ana", password="theirs")

    def test_a_superuser_chooses_the_operator(self, operator: Operator) -> None:
        other = OperatorFactory.create()
        root = sign_in(operator=None)
        assert "This field is required." in add(root, operator="").content.decode()
        add(root, operator=str(other.pk), role="owner")
        assert [place.operator for place in User.objects.get(email="ana@example.com").memberships.all()] == [other]

    def test_with_a_user_pool_its_groups_are_told(self, owner: Client, settings: Settings) -> None:
        link = link_in(add(owner))
        settings.IDENTITY = type("Identity", (), {"has_sign_in": True})()
        assert "user pool" in owner.get(reverse(ADD)).content.decode()
        assert "user pool" in add(owner, email="new@example.com").content.decode()
        assert not User.objects.filter(email="new@example.com").exists()
        assert Client().get(link).status_code == 404
        assert "user pool" in act(owner, User.objects.get(email="ana@example.com"), "password_link")


class TestChanging:
    @pytest.fixture
    def ana(self, owner: Client) -> User:
        add(owner)
        return User.objects.get(username="ana@kayaks")

    def test_a_role_is_changed_with_its_reason(self, owner: Client, ana: User) -> None:
        assert "ana@kayaks is now owner at Kayaks." in act(owner, ana, "change_role", role="owner")
        assert ana.memberships.get().role == "owner"
        page = owner.get(page_of(ana)).content.decode()
        assert "as agreed" in page.split("What people did")[1]
        assert "Owner at Kayaks" in page

    def test_who_is_taken_out_cannot_sign_in_and_can_come_back(self, owner: Client, ana: User) -> None:
        link = link_in_page(act(owner, ana, "password_link"))
        assert "no longer has a role at Kayaks." in act(owner, ana, "remove")
        assert "was used already" in Client().get(link, follow=True).content.decode()
        ana.refresh_from_db()
        assert (ana.is_active, ana.memberships.count()) == (False, 0)
        add(owner, role="manager")
        ana.refresh_from_db()
        assert (ana.is_active, ana.memberships.get().role) == (True, "manager")

    def test_the_last_owner_stays(self, owner: Client) -> None:
        me = User.objects.get()
        for action, given in (("remove", {}), ("change_role", {"role": "agent"})):
            assert "would have no owner" in act(owner, me, action, **given)
        assert me.memberships.get().role == "owner"

    def test_a_link_of_somebody_who_is_elsewhere_too_is_not_theirs_to_make(self, owner: Client, ana: User) -> None:
        """It would open the other operator's desk."""
        Member.objects.create(user=ana, operator=OperatorFactory.create(name="Unseen"), role=Role.AGENT)
        for action in ("password_link", "no_second_factor"):
            page = act(owner, ana, action)
            assert "Only an administrator can do this" in page
            assert "set-password/" not in page

    def test_nothing_of_another_operator_is_seen_or_changed(self, owner: Client, elsewhere: User, ana: User) -> None:
        Member.objects.create(user=ana, operator=elsewhere.memberships.get().operator, role=Role.OWNER)
        root = sign_in(operator=None)
        act(root, ana, "change_role", operator=str(elsewhere.memberships.get().operator_id), role="agent")
        for path in (list_of(User), page_of(ana), f"{page_of(ana)[:-7]}history/"):
            page = owner.get(path, follow=True).content.decode()
            assert "Unseen" not in page, path
            assert "ana@kayaks.other" not in page, path
        assert owner.get(page_of(elsewhere)).status_code == 302
        before = list(Member.objects.order_by("pk").values())
        for action, given in (("remove", {}), ("change_role", {"role": "agent"}), ("password_link", {})):
            act(owner, elsewhere, action, **given)
            theirs = {"operator": str(elsewhere.memberships.get().operator_id)}
            act(owner, ana, action, **given, **theirs)
        assert list(Member.objects.order_by("pk").values()) == before

    def test_an_owner_cannot_edit_an_account(self, owner: Client, ana: User) -> None:
        answer = owner.post(page_of(ana), {"username": "taken", "is_superuser": "on"})
        assert answer.status_code == 403
        assert owner.get(f"{page_of(ana)[:-7]}password/").status_code == 403


def link_in_page(page: str) -> str:
    found = re.search(r"http://testserver(/admin/set-password/[\w./-]+)", page)
    assert found is not None
    return found[1]


def text_of(page: Any) -> str:
    """Return what a page says, without what is hidden."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.content.decode().split("<body")[1]))
