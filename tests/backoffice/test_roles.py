"""Roles: what somebody may not do is not shown to them, and refused when it is posted by hand."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from booking import tills
from booking.models import Receipt, Reservation, Till
from catalogue.models import Activity, Slot
from notifications.models import Mail
from payments.models import Command, Payment
from reconciliation.models import Discrepancy
from sweeps import registry
from tenants import roles
from tenants.models import ApiClient, Member, Operator, Role, User
from tenants.roles import ROLE_PERMISSIONS, Permission
from tests.support import stripe_events
from tests.support.aging import end_leases
from tests.support.api import Frontend
from tests.support.desk import act, all_actions, chosen, list_of, page_of, sign_in
from tests.support.discrepancies import open_one
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from webhooks.models import Event, Notice

OF_SUPERUSERS = (User, Notice)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(sandbox: Sandbox) -> dict[type[Model], Any]:
    """One row of everything that there is an action for."""
    slot = SlotFactory.create()
    frontend = Frontend.of(slot)
    frontend.reserve(slot, capture_method="automatic")
    stripe_events.deliver_all(sandbox)
    registry.run("send_mails")
    held = frontend.reserve(slot).json()["reservation"]["id"]
    open_one(Reservation.objects.get(status="paid").payment)
    tills.open_till(operator=slot.activity.operator, name="Till", currency="USD", amount=0, actor="user:me")
    sold = frontend.on_arrival(slot).json()["reservation"]["id"]
    with override_settings(RECEIPT_FOUR_EYES=1):
        frontend.post(f"reservations/{sold}/receipts", {"method": "cash"})
    end_leases()
    return {
        Reservation: Reservation.objects.get(pk=held), Slot: slot, Activity: slot.activity,
        Command: Command.objects.first(), Payment: Reservation.objects.get(status="paid").payment,
        Event: Event.objects.filter(payment__isnull=False).first(), Mail: Mail.objects.get(),
        Discrepancy: Discrepancy.objects.get(), ApiClient: ApiClient.objects.get(),
        User: User.objects.create_user("somebody"), Receipt: Receipt.objects.get(), Till: Till.objects.get(),
        Notice: Notice.objects.create(provider=slot.activity.operator.slug, payload={}, received_at=timezone.now()),
    }  # fmt: skip


def snapshot(world: dict[type[Model], Any]) -> list[Any]:
    """Return what all these rows are."""
    return [list(model._default_manager.order_by("pk").values()) for model in world]


class TestActions:
    def test_each_has_a_power(self) -> None:
        ours = [action for _, action in chosen() if not action.__module__.startswith("django")]
        assert [action.__name__ for action in ours] == [spec.name for _, spec in all_actions()]
        assert len(all_actions()) >= 14

    @pytest.mark.parametrize("role", Role)
    def test_what_a_role_may_not_do_is_not_shown_and_is_refused(
        self, world: dict[type[Model], Any], role: Role
    ) -> None:
        operator = world[Slot].activity.operator
        client = sign_in(operator=operator, role=role)
        for model, spec in all_actions():
            name, permission, row = spec.name, spec.permission, world[model]
            page = client.get(page_of(row))
            allowed = permission in ROLE_PERMISSIONS[role] and model not in OF_SUPERUSERS
            assert (f'name="action" value="{name}"' in page.content.decode()) == (allowed and spec.fits(row)), (
                model,
                name,
            )
            if not allowed:
                before = snapshot(world)
                act(client, row, name, "because")
                assert snapshot(world) == before, (model, name)

    def test_a_power_at_one_operator_is_none_at_another(self, world: dict[type[Model], Any]) -> None:
        slot = world[Slot]
        client = sign_in(operator=slot.activity.operator, role=Role.READ_ONLY)
        mine = SlotFactory.create(activity__operator=OperatorFactory.create())
        person = User.objects.get(is_staff=True)
        Member.objects.create(user=person, operator=mine.activity.operator, role=Role.OWNER)
        body = {"action": "close", "_selected_action": [str(slot.pk), str(mine.pk)], "reason": "wind"}
        page = client.post(list_of(Slot), body, follow=True)
        assert "your role does not allow this" in page.content.decode()
        slot.refresh_from_db()
        mine.refresh_from_db()
        assert (slot.is_closed, mine.is_closed) == (False, True)


class TestForms:
    @pytest.mark.parametrize(
        ("role", "status"), [(Role.OWNER, 302), (Role.MANAGER, 302), (Role.AGENT, 403), (Role.READ_ONLY, 403)]
    )
    def test_what_is_on_sale_is_the_managers(self, sandbox: Sandbox, role: Role, status: int) -> None:
        slot = SlotFactory.create()
        client = sign_in(operator=slot.activity.operator, role=role)
        assert client.post(page_of(slot), {"capacity": "9"}).status_code in (status, 200 if status == 302 else status)
        assert client.get(reverse("admin:catalogue_slot_add")).status_code == (200 if status == 302 else 403)

    def test_no_row_is_made_at_an_operator_where_one_may_not(self, sandbox: Sandbox) -> None:
        slot = SlotFactory.create()
        client = sign_in(operator=slot.activity.operator, role=Role.READ_ONLY)
        mine = OperatorFactory.create()
        Member.objects.create(user=User.objects.get(), operator=mine, role=Role.OWNER)
        body = {
            "operator": str(slot.activity.operator_id), "name": "Theirs", "timezone": "UTC", "currency": "EUR",
            "rates-TOTAL_FORMS": "0", "rates-INITIAL_FORMS": "0",
        }  # fmt: skip
        client.post(reverse("admin:catalogue_activity_add"), body)
        assert not Activity.objects.filter(name="Theirs").exists()
        client.post(reverse("admin:catalogue_activity_add"), body | {"operator": str(mine.pk)})
        assert Activity.objects.get(name="Theirs").operator == mine

    def test_an_owner_makes_and_revokes_keys_of_their_own_operator(self, sandbox: Sandbox) -> None:
        operator, other = OperatorFactory.create(), OperatorFactory.create()
        client = sign_in(operator=operator, role=Role.OWNER)
        body = {"operator": str(operator.pk), "name": "Shop", "scopes": ["read"]}
        assert "shown only now" in make_key(client, body)
        made = ApiClient.objects.get()
        make_key(client, body | {"operator": str(other.pk)})
        assert ApiClient.objects.count() == 1
        act(client, made, "revoke", "leaked")
        made.refresh_from_db()
        assert made.revoked_at is not None

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT, Role.READ_ONLY])
    def test_nobody_else_sees_keys(self, sandbox: Sandbox, role: Role) -> None:
        client = sign_in(operator=OperatorFactory.create(), role=role)
        assert client.get(list_of(ApiClient)).status_code == 403
        assert client.get(list_of(Operator)).status_code == 403


def make_key(client: Client, body: dict[str, Any]) -> str:
    """Have a key made; returns the page that comes of it."""
    return client.post(reverse("admin:tenants_apiclient_add"), body, follow=True).content.decode()


class TestRoles:
    def test_whoever_left_may_nothing(self) -> None:
        operator = OperatorFactory.create()
        person = User.objects.create_user("gone", is_active=False, is_superuser=True)
        Member.objects.create(user=person, operator=operator, role=Role.OWNER)
        assert not any(roles.has_permission(person, permission, operator.pk) for permission in Permission)
        assert not any(roles.has_permission_anywhere(person, permission) for permission in Permission)

    def test_what_is_nobodys_is_the_superusers(self) -> None:
        operator = OperatorFactory.create()
        person = User.objects.create_user("owner")
        Member.objects.create(user=person, operator=operator, role=Role.OWNER)
        assert not roles.has_permission(person, Permission.MONEY, None)
        assert roles.has_permission(User.objects.create_superuser("root"), Permission.MONEY, None)
