"""The API of a reservation's money: translate, one domain call, translate."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from booking import adjusting, attempts, cancelling, fewer_units, receipts
from booking.api import money_schema, money_serializers, presenters, showing
from booking.states import AdjustmentKind, ReceiptMethod
from idempotency.keys import Operation
from idempotency.views import idempotent
from tenants.authentication import caller_of
from tenants.models import Scope


class ReservationPayments(APIView):
    """The payments of a reservation: begin another one."""

    is_for_customers = True

    @extend_schema(**money_schema.PAY)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Pay what is due by another payment."""
        body = money_serializers.AttemptIn.validated(request.data)
        caller = caller_of(request)
        showing.check_own(caller, reservation_id)
        done = attempts.attempt(
            operator=caller.operator,
            reservation_id=reservation_id,
            operation_id=operation.id,
            actor=caller.actor,
            request=attempts.Request(
                provider=body["provider"],
                payment_method_id=body["payment_method_id"],
                amount=body.get("amount"),
                change_id=body.get("change_id"),
                replaces=body["replace"],
            ),
        )
        is_own = done.payment.pk == operation.id
        status = 202 if not done.known else 201 if is_own else 200
        return Response(showing.pair(done.reservation, caller), status=status)


class ReservationCancellation(APIView):
    """What a cancellation would come to now."""

    is_for_customers = True

    @extend_schema(**money_schema.PREVIEW)
    def get(self, request: Request, reservation_id: UUID) -> Response:
        """Say what is kept and what goes back."""
        wanted = money_serializers.CancellationQuery.validated(request.query_params.dict()).get("units")
        found = showing.get_reservation(caller_of(request), reservation_id)
        if wanted is None:
            quote = cancelling.quoted(found.row, at=found.at)
        else:
            quote = fewer_units.quoted(found.row, units=wanted, at=found.at)
        return Response(presenters.cancellation(found.row, quote))


class ReservationReceipts(APIView):
    """Money for a reservation that no provider takes."""

    required_scopes: ClassVar = {"POST": Scope.COLLECT}

    @extend_schema(**money_schema.COLLECT)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Take money."""
        body = money_serializers.ReceiptIn.validated(request.data)
        caller = caller_of(request)
        done = receipts.take(
            operator=caller.operator,
            reservation_id=reservation_id,
            operation_id=operation.id,
            actor=caller.actor,
            request=receipts.Request(
                method=ReceiptMethod(body["method"]),
                amount=body.get("amount"),
                till_id=body.get("till_id"),
                reference=body["reference"],
                reason=body["reason"],
            ),
        )
        status = 201 if done.receipt.approved_at is not None else 202
        return Response(showing.pair(done.reservation, caller), status=status)


class ReservationAdjustments(APIView):
    """Changes of what a reservation costs."""

    required_scopes: ClassVar = {"POST": Scope.SELL}

    @extend_schema(**money_schema.ADJUST)
    @idempotent
    def post(self, request: Request, *, reservation_id: UUID, operation: Operation) -> Response:
        """Add to what is owed, or take off."""
        body = money_serializers.AdjustmentIn.validated(request.data)
        caller = caller_of(request)
        done = adjusting.adjust(
            operator=caller.operator,
            reservation_id=reservation_id,
            operation_id=operation.id,
            actor=caller.actor,
            request=adjusting.Request(
                kind=AdjustmentKind(body["kind"]), amount=body["amount"], name=body["name"], reason=body["reason"]
            ),
        )
        return Response(showing.pair(done.reservation, caller), status=201)
