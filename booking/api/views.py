"""The booking API: translate, one domain call, translate."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from booking import allowances, availability, cancelling, confirming, extending, fewer_units, queries, reserving, sales
from booking.api import money_serializers, presenters, schema, serializers, showing
from booking.states import OnDecline, PayBy, Plan
from catalogue import pricing
from common.errors import NotFoundError
from common.locking import AsOf
from common.pagination import NewestFirst
from common.serializers import PageQuery
from idempotency.keys import Operation
from idempotency.views import idempotent
from payments.states import CaptureMethod
from tenants.authentication import caller_of, require
from tenants.callers import Caller
from tenants.models import Scope


class SlotPages(NewestFirst):
    """Slots come in time order."""

    keys = ("starts_at", "id")
    newest_first = False


class ResourceList(GenericAPIView[Any]):
    """The catalogue."""

    is_for_customers = True

    @extend_schema(**schema.LIST_RESOURCES)
    def get(self, request: Request) -> Response:
        """List what the operator sells."""
        PageQuery.validated(request.query_params.dict())
        page = self.paginate_queryset(availability.activities(operator=caller_of(request).operator))
        return self.get_paginated_response([presenters.resource(row) for row in page or []])


class ResourceDetail(APIView):
    """One resource."""

    is_for_customers = True

    @extend_schema(**schema.READ_RESOURCE)
    def get(self, request: Request, resource_id: UUID) -> Response:
        """Read a resource."""
        row = availability.activities(operator=caller_of(request).operator).filter(pk=resource_id).first()
        if row is None:
            raise NotFoundError(kind="resource")
        return Response(presenters.resource(row))


class SlotList(GenericAPIView[Any]):
    """Departures."""

    is_for_customers = True
    pagination_class = SlotPages

    @extend_schema(**schema.LIST_SLOTS)
    def get(self, request: Request) -> Response:
        """List departures in the order of their start."""
        query = serializers.SlotQuery.validated(request.query_params.dict())
        page = self.paginate_queryset(availability.matching(operator=caller_of(request).operator, **_wanted(query)))
        return self.get_paginated_response([presenters.slot(row) for row in page or []])


class SlotDetail(APIView):
    """One departure."""

    is_for_customers = True

    @extend_schema(**schema.READ_SLOT)
    def get(self, request: Request, slot_id: UUID) -> Response:
        """Read a departure."""
        row = availability.slots(operator=caller_of(request).operator).filter(pk=slot_id).first()
        if row is None:
            raise NotFoundError(kind="slot")
        return Response(presenters.slot(row))


class ReservationList(GenericAPIView[Any]):
    """Reservations: make one, list them."""

    is_for_customers = True

    @extend_schema(**schema.LIST_RESERVATIONS)
    def get(self, request: Request) -> Response:
        """List reservations, newest first."""
        wanted = serializers.ReservationQuery.validated(request.query_params.dict())
        caller = caller_of(request)
        rows = queries.reservations(operator=caller.operator, own=caller.own)
        rows = rows.filter(queries.created_between(start=wanted.get("from"), end=wanted.get("to")))
        if "status" in wanted:
            rows = rows.filter(queries.with_status(wanted["status"]))
        if "slot_id" in wanted:
            rows = rows.filter(slot_id=wanted["slot_id"])
        if "reference" in wanted:
            rows = rows.filter(reference=wanted["reference"].upper())
        if "email" in wanted:
            rows = rows.filter(queries.of_customer(wanted["email"], operator=caller.operator))
        page = [AsOf.of(row) for row in self.paginate_queryset(rows) or []]
        return self.get_paginated_response([showing.pair(found, caller) for found in page])

    @extend_schema(**schema.RESERVE)
    @idempotent
    def post(self, request: Request, *, operation: Operation) -> Response:
        """Take places and hold the money."""
        body = serializers.ReservationIn.validated(request.data)
        caller = caller_of(request)
        if body["pay_by"] != PayBy.PROVIDER:
            require(caller, Scope.SELL)
        done = reserving.reserve(
            client=caller.client, actor=caller.actor, operation=operation, request=_request(body, caller)
        )
        shown = presenters.reservation_and_payment(done.reservation, done.units, done.adjustments, now=done.at)
        return Response(shown, status=201 if done.known else 202)


class ReservationDetail(APIView):
    """One reservation."""

    is_for_customers = True

    @extend_schema(**schema.READ_RESERVATION)
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """Read a reservation."""
        caller = caller_of(request)
        return Response(showing.pair(showing.get_reservation(caller, reservation_id), caller))


class ReservationConfirm(APIView):
    """The hold becomes a sale."""

    is_for_customers = True

    @extend_schema(**schema.CONFIRM)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Confirm a reservation and capture its money."""
        caller, reason = _who_and_why(request, reservation_id)
        found = confirming.confirm(
            operator=caller.operator,
            reservation_id=reservation_id,
            operation_id=operation.id,
            actor=caller.actor,
            reason=reason or "confirm",
        )
        return Response(showing.pair(found, caller))


class ReservationExtend(APIView):
    """A hold lasts longer."""

    @extend_schema(**schema.EXTEND)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Let a hold last so long from now."""
        body = serializers.ExtendIn.validated(request.data)
        caller = caller_of(request)
        found = extending.extend(
            operator=caller.operator,
            reservation_id=reservation_id,
            minutes=body["minutes"],
            actor=caller.actor,
            reason=body["reason"] or "extend",
            is_from_now=True,
        )
        return Response(showing.pair(found, caller))


class ReservationCancel(APIView):
    """The places are free again."""

    is_for_customers = True

    @extend_schema(**schema.CANCEL)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Cancel a reservation and release its hold."""
        body = money_serializers.CancelIn.validated(request.data or {})
        caller = caller_of(request)
        showing.check_own(caller, reservation_id)
        wish = cancelling.Wish(
            expected_refund=body["expected_refund"], fee=body.get("fee"), is_by_operator=body["by"] == "operator"
        )
        if wish.fee is not None or wish.is_by_operator:
            require(caller, Scope.REFUND)
        units = [pricing.WantedUnit(**line) for line in body["units"]]
        asked: Any = {
            "operator": caller.operator, "reservation_id": reservation_id, "operation_id": operation.id,
            "actor": caller.actor, "reason": body["reason"] or "cancel", "wish": wish,
        }  # fmt: skip
        found = fewer_units.cancel(**asked, units=units) if units else cancelling.cancel(**asked)
        return Response(showing.pair(found, caller))


class ReservationHistory(APIView):
    """How a reservation came to where it stands."""

    is_for_customers = True

    @extend_schema(**schema.HISTORY)
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """Read the append-only history, oldest first."""
        caller = caller_of(request)
        changes = showing.get_reservation(caller, reservation_id).row.history.all()
        if caller.is_customer or caller.is_reading_program:
            return Response([presenters.change_without_names(change, customer=caller.actor) for change in changes])
        return Response([presenters.change(change) for change in changes])


def _wanted(query: Mapping[str, Any]) -> dict[str, Any]:
    names = {"resource_id": "activity_id", "places": "places", "from": "start", "to": "end"}
    return {ours: query.get(theirs) for theirs, ours in names.items()}


def _who_and_why(request: Request, reservation_id: UUID) -> tuple[Caller, str]:
    body = serializers.ReasonIn.validated(request.data or {})
    caller = caller_of(request)
    showing.check_own(caller, reservation_id)
    return caller, body["reason"]


def _request(data: dict[str, Any], caller: Caller) -> sales.Request:
    payment = data.get("payment") or {"provider": "", "capture_method": CaptureMethod.MANUAL, "payment_method_id": ""}
    return sales.Request(
        slot_id=data.get("slot_id"),
        activity_id=data.get("resource_id"),
        day=data.get("date"),
        units=[pricing.WantedUnit(**line) for line in data["units"]],
        customer=sales.Customer(**data["customer"]),
        provider=payment["provider"],
        capture_method=CaptureMethod(payment["capture_method"]),
        payment_method_id=payment["payment_method_id"],
        on_decline=OnDecline(data["on_decline"]),
        pay_by=PayBy(data["pay_by"]),
        plan=Plan(data["plan"]),
        is_hold=data["hold"],
        metadata=data.get("metadata", {}),
        allowance=allowances.of_customer() if caller.is_customer else allowances.of_program(),
    )
