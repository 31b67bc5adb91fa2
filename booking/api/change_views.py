"""The API of changes: translate, one domain call, translate."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from booking import allowances, change_quotes, changing
from booking.api import change_schema, change_serializers, serializers, showing
from booking.states import OnDecline
from catalogue import pricing
from idempotency.keys import Operation
from idempotency.views import idempotent
from tenants.authentication import caller_of


class ReservationChange(APIView):
    """What a change would come to now."""

    is_for_customers = True

    @extend_schema(**change_schema.PREVIEW)
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """Say what it costs more, and what of that is due."""
        wanted = change_serializers.ChangeQuery.validated(request.query_params.dict())
        found = showing.get_reservation(caller_of(request), reservation_id)
        asked = change_quotes.Wanted(slot_id=wanted.get("slot_id"), units=wanted.get("units", ()))
        quote = change_quotes.quoted(found.row, asked, at=found.at)
        return Response({"difference": quote.difference, "due": quote.due, "currency": found.row.currency})


class ReservationChanges(APIView):
    """Changes of a reservation: another departure, more people."""

    is_for_customers = True

    @extend_schema(**change_schema.CHANGE)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Hold other places, and go there when it is paid."""
        body = change_serializers.ChangeIn.validated(request.data)
        caller = caller_of(request)
        showing.check_own(caller, reservation_id)
        units = [pricing.WantedUnit(**line) for line in body["units"]]
        done = changing.change(
            client=caller.client,
            reservation_id=reservation_id,
            operation_id=operation.id,
            actor=caller.actor,
            request=changing.Request(
                wanted=change_quotes.Wanted(slot_id=body.get("slot_id"), units=units),
                expected_difference=body.get("expected_difference"),
                on_decline=OnDecline(body["on_decline"]),
                reason=body["reason"] or "change",
                allowance=allowances.of_customer() if caller.is_customer else allowances.of_program(),
                **body.get("payment", {}),
            ),
        )
        return Response(showing.pair(done.reservation, caller), status=201 if done.known else 202)


class ReservationChangeCancel(APIView):
    """The places of a change are free again."""

    is_for_customers = True

    @extend_schema(**change_schema.GIVE_UP)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, change_id: UUID, operation: Operation) -> Response:
        """Give an open change up."""
        body = serializers.ReasonIn.validated(request.data or {})
        caller = caller_of(request)
        showing.check_own(caller, reservation_id)
        found = changing.give_up(
            operator_id=caller.operator.pk,
            reservation_id=reservation_id,
            change_id=change_id,
            actor=caller.actor,
            reason=body["reason"] or "cancel",
        )
        return Response(showing.pair(found, caller))
