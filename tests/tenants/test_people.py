"""People who call the API by an ID token: staff with the roles of their groups, and customers with their own things."""

from typing import Any

import pytest

from booking.models import Reservation
from catalogue.models import Slot
from tenants.models import ApiClient, Member, Operator, Role, User
from tests.support.api import Frontend, reservation_body
from tests.support.factories import OperatorFactory, SlotFactory
from tests.support.sandbox_client import Sandbox
from tests.support.user_pool import AGENT, Pool, call, code, groups

pytestmark = pytest.mark.django_db(transaction=True)


class TestPeople:
    def test_are_made_on_first_sight_and_found_by_their_sub(self, pool: Pool, operator: Operator) -> None:
        for mail in ("ana@example.com", "ana@new.example.com"):
            assert call(pool.token(**AGENT, email=mail)).status_code == 200
        (person,) = User.objects.all()
        assert (person.cognito_sub, person.username, person.has_usable_password()) == (
            "sub-of-ana", "ana@example.com", False,
        )  # fmt: skip
        assert Member.objects.get().role == Role.AGENT
        assert ApiClient.objects.count() == 1

    @pytest.mark.parametrize(
        "claims",
        [{"given_name": "a\0b"}, {"family_name": "\ud800"}, {"email": "a\0@example.com"}, {"sub": "s" * 65},
         {"sub": "a\0"}, groups("holdfast:kay\0aks:agent"), {"custom:\ud800": "x"}],
    )  # fmt: skip
    def test_claims_that_no_row_can_hold_are_refused(
        self, pool: Pool, operator: Operator, claims: dict[str, Any]
    ) -> None:
        assert code(call(pool.token(**(AGENT | claims)))) == (401, "invalid_token")
        assert not User.objects.exists()

    def test_an_address_longer_than_one_may_be_is_not_taken(self, pool: Pool, operator: Operator) -> None:
        assert call(pool.token(**AGENT, email="a@" + "b." * 130 + "com")).status_code == 200
        assert User.objects.get().email == ""

    def test_a_mail_address_is_no_identity(self, pool: Pool, operator: Operator) -> None:
        owner = User.objects.create_user("ana@example.com", email="ana@example.com", password="x")
        Member.objects.create(user=owner, operator=operator, role=Role.OWNER)
        call(pool.token(aud="app", **AGENT))
        assert call(pool.token(**AGENT)).status_code == 200
        made = User.objects.get(cognito_sub="sub-of-ana")
        assert made != owner
        assert made.username == "sub-of-ana"

    def test_groups_are_the_roles(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**groups("holdfast:kayaks:read_only", "holdfast:kayaks:manager", "holdfast:nobody:owner", "x")))
        assert [(row.operator, row.role) for row in Member.objects.all()] == [(operator, Role.MANAGER)]
        assert not User.objects.get().is_superuser
        assert code(call(pool.token())) == (403, "insufficient_scope")
        assert not Member.objects.exists()
        assert not User.objects.get().is_staff

    def test_the_platforms_group_makes_a_superuser_while_it_is_there(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**groups("holdfast:platform", "holdfast:kayaks:agent")))
        assert User.objects.get().is_superuser
        call(pool.token(**AGENT))
        assert not User.objects.get().is_superuser

    def test_who_was_made_inactive_or_revoked_stays_out(self, pool: Pool, operator: Operator) -> None:
        call(pool.token(**AGENT))
        User.objects.update(is_active=False)
        assert code(call(pool.token(**AGENT))) == (403, "insufficient_scope")
        User.objects.update(is_active=True)
        ApiClient.objects.update(revoked_at="2026-01-01T00:00Z")
        assert code(call(pool.token(**AGENT))) == (403, "insufficient_scope")

    def test_staff_of_several_say_where(self, pool: Pool, operator: Operator) -> None:
        other = OperatorFactory.create(slug="surf")
        slot = SlotFactory.create(activity__operator=other)
        token = pool.token(**groups("holdfast:kayaks:agent", "holdfast:surf:agent"))
        assert call(token).status_code == 400
        assert call(token, HTTP_HOLDFAST_OPERATOR="kayaks").json()["results"] == []
        assert call(token, HTTP_HOLDFAST_OPERATOR="surf").json()["results"][0]["id"] == str(slot.pk)
        assert code(call(token, HTTP_HOLDFAST_OPERATOR="boats")) == (403, "insufficient_scope")

    @pytest.mark.parametrize(("role", "status"), [("read_only", 403), ("agent", 201), ("manager", 201)])
    def test_a_role_says_what_they_may(self, pool: Pool, sandbox: Sandbox, role: str, status: int) -> None:
        slot = SlotFactory.create(activity__operator__slug="kayaks")
        frontend = Frontend(pool.token(**groups(f"holdfast:kayaks:{role}")))
        assert frontend.reserve(slot).status_code == status
        assert frontend.get("slots").status_code == 200

    def test_the_history_has_their_name(self, pool: Pool, sandbox: Sandbox) -> None:
        slot = SlotFactory.create(activity__operator__slug="kayaks")
        made = Frontend(pool.token(**AGENT)).reserve(slot).json()["reservation"]
        history = Reservation.objects.get(pk=made["id"]).history.all()
        assert history[0].actor == "user:ana@example.com"


class TestCustomers:
    @pytest.fixture
    def slot(self, pool: Pool, sandbox: Sandbox) -> Slot:
        return SlotFactory.create(activity__operator__cognito_client_id="kayak-shop")

    def test_see_their_own_reservations_only(self, pool: Pool, slot: Slot) -> None:
        ana, rui = (Frontend(pool.token(aud="kayak-shop", sub=sub, email=None)) for sub in ("ana", "rui"))
        mine = ana.reserve(slot).json()["reservation"]["id"]
        assert ana.get(f"reservations/{mine}").status_code == 200
        assert [row["reservation"]["id"] for row in ana.get("reservations").json()["results"]] == [mine]
        assert rui.get("reservations").json()["results"] == []
        for answer in (
            rui.get(f"reservations/{mine}"), rui.get(f"reservations/{mine}/history"),
            rui.post(f"reservations/{mine}/cancel"), rui.post(f"reservations/{mine}/confirm"),
        ):  # fmt: skip
            assert code(answer) == (404, "not_found")
        assert Reservation.objects.get().status == "pending"
        assert ana.post(f"reservations/{mine}/cancel").status_code == 200

    def test_have_no_part_in_the_payments(self, pool: Pool, slot: Slot) -> None:
        ana = Frontend(pool.token(aud="kayak-shop"))
        made = ana.reserve(slot).json()
        for answer in (
            ana.get("payment_intents"), ana.get(f"payment_intents/{made['payment']['id']}"), ana.get("transactions"),
            ana.post("refunds", {"payment_id": made["payment"]["id"]}), ana.get("refunds"),
            ana.get(f"payments/{made['payment']['id']}"),
        ):  # fmt: skip
            assert code(answer) == (403, "insufficient_scope")

    def test_keys_are_each_ones_own(self, pool: Pool, slot: Slot) -> None:
        ana, rui = (Frontend(pool.token(aud="kayak-shop", sub=sub, email=None)) for sub in ("ana", "rui"))
        bodies = [one.post("reservations", reservation_body(slot), key="same").json() for one in (ana, rui, ana)]
        ids = [body["reservation"]["id"] for body in bodies]
        assert ids[0] == ids[2] != ids[1]

    def test_staff_who_come_by_the_shop_are_staff(self, pool: Pool, slot: Slot) -> None:
        operator = slot.activity.operator
        mine = Frontend(pool.token(aud="kayak-shop", sub="ana", email=None)).reserve(slot).json()["reservation"]["id"]
        staff = Frontend(
            pool.token(aud="kayak-shop", sub="boss", email=None, **groups(f"holdfast:{operator.slug}:owner"))
        )
        assert staff.get(f"reservations/{mine}").status_code == 200

    def test_are_strangers_at_another_operator(self, pool: Pool, slot: Slot) -> None:
        other = SlotFactory.create(activity__operator__cognito_client_id="surf-shop")
        mine = Frontend(pool.token(aud="kayak-shop")).reserve(slot).json()["reservation"]["id"]
        there = Frontend(pool.token(aud="surf-shop"))
        assert there.get(f"reservations/{mine}").status_code == 404
        assert there.get(f"slots/{slot.pk}").status_code == 404
        assert there.get(f"slots/{other.pk}").status_code == 200
