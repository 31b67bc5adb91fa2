"""The payments API: translate, one domain call, translate."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.serializers import PageQuery
from idempotency.keys import Operation
from idempotency.views import idempotent
from payments import intents, queries, refunds
from payments.api import presenters, schema, serializers
from payments.models import Payment
from payments.states import CaptureMethod, PaymentStatus
from tenants.authentication import caller_of
from tenants.callers import Caller
from tenants.models import Scope


class IntentList(GenericAPIView[Any]):
    """Payments: make one, list them."""

    @extend_schema(**schema.LIST_INTENTS)
    def get(self, request: Request) -> Response:
        """List payments, newest first."""
        PageQuery.validated(request.query_params.dict())
        caller = caller_of(request)
        page = self.paginate_queryset(queries.payments(operator=caller.operator))
        return self.get_paginated_response([_shown(row, caller) for row in page or []])

    @extend_schema(**schema.CREATE_INTENT)
    @idempotent
    def post(self, request: Request, *, operation: Operation) -> Response:
        """Make a payment; no money moves yet."""
        body = serializers.IntentIn.validated(request.data)
        caller = caller_of(request)
        given = body | {"capture_method": CaptureMethod(body["capture_method"])}
        row = intents.create(
            client=caller.client, actor=caller.actor, operation=operation, request=intents.Request(**given)
        )
        return Response(presenters.intent(row), status=201)


class IntentDetail(APIView):
    """One payment."""

    @extend_schema(**schema.READ_INTENT)
    def get(self, request: Request, intent_id: UUID) -> Response:
        """Read a payment."""
        row = queries.get_payment(operator=caller_of(request).operator, payment_id=intent_id)
        return Response(_shown(row, caller_of(request)))


class IntentConfirm(APIView):
    """The money is held or taken."""

    @extend_schema(**schema.CONFIRM_INTENT)
    @idempotent
    def patch(self, request: Request, *, intent_id: UUID, operation: Operation) -> Response:
        """Have a worker hold or take the money."""
        query = serializers.ConfirmQuery.validated(request.query_params.dict())
        body = serializers.ConfirmIn.validated(request.data)
        caller = caller_of(request)
        row = intents.confirm(
            operator=caller.operator,
            payment_id=intent_id,
            operation_id=operation.id,
            actor=caller.actor,
            payment_method_id=body["payment_method_id"],
            force_failure=query["force"] == "failure",
        )
        return Response(presenters.accepted(row), status=202)


class IntentCapture(APIView):
    """Held money is taken."""

    @extend_schema(**schema.CAPTURE_INTENT)
    @idempotent
    def post(self, request: Request, *, intent_id: UUID, operation: Operation) -> Response:
        """Have a worker take the held money."""
        body = serializers.CaptureIn.validated(request.data)
        caller = caller_of(request)
        row = intents.capture(
            operator=caller.operator,
            payment_id=intent_id,
            operation_id=operation.id,
            actor=caller.actor,
            amount=body.get("amount"),
        )
        return Response(presenters.accepted(row), status=202)


class IntentCancel(APIView):
    """A payment is closed without money."""

    @extend_schema(**schema.CANCEL_INTENT)
    @idempotent
    def post(self, request: Request, *, intent_id: UUID, operation: Operation) -> Response:
        """Cancel a payment and release its hold."""
        serializers.NothingIn.validated(request.data)
        caller = caller_of(request)
        row = intents.cancel(
            operator=caller.operator, payment_id=intent_id, operation_id=operation.id, actor=caller.actor
        )
        return Response(presenters.intent(row), status=200 if row.status == PaymentStatus.CANCELED else 202)


class PaymentDetail(APIView):
    """What came of a payment."""

    @extend_schema(**schema.READ_PAYMENT)
    def get(self, request: Request, intent_id: UUID) -> Response:
        """Read the final figures of a payment."""
        row = queries.get_result(operator=caller_of(request).operator, payment_id=intent_id)
        return Response(presenters.result(row))


class RefundList(GenericAPIView[Any]):
    """Refunds: ask for one, list them."""

    required_scopes: ClassVar = {"POST": Scope.REFUND}

    @extend_schema(**schema.LIST_REFUNDS)
    def get(self, request: Request) -> Response:
        """List refunds, newest first."""
        PageQuery.validated(request.query_params.dict())
        page = self.paginate_queryset(queries.refunds(operator=caller_of(request).operator))
        return self.get_paginated_response([presenters.refund(row) for row in page or []])

    @extend_schema(**schema.REFUND)
    @idempotent
    def post(self, request: Request, *, operation: Operation) -> Response:
        """Give captured money back."""
        body = serializers.RefundIn.validated(request.data)
        caller = caller_of(request)
        row = refunds.request(
            operator=caller.operator,
            payment_id=body["payment_id"],
            operation_id=operation.id,
            amount=body.get("amount"),
            reason=body["reason"],
            actor=caller.actor,
            keep_places=body["keep_places"],
        )
        return Response(presenters.refund(row), status=201)


class RefundDetail(APIView):
    """One refund."""

    @extend_schema(**schema.READ_REFUND)
    def get(self, request: Request, refund_id: UUID) -> Response:
        """Read a refund."""
        row = queries.get_refund(operator=caller_of(request).operator, refund_id=refund_id)
        return Response(presenters.refund(row))


class TransactionList(GenericAPIView[Any]):
    """Every movement of money."""

    @extend_schema(**schema.LIST_TRANSACTIONS)
    def get(self, request: Request) -> Response:
        """List movements of money, newest first."""
        wanted = serializers.TransactionQuery.validated(request.query_params.dict())
        rows = queries.transactions(
            operator=caller_of(request).operator,
            status=wanted.get("status"),
            kind=wanted.get("kind"),
            start=wanted.get("from"),
            end=wanted.get("to"),
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response([presenters.transaction(row) for row in page or []])


class TransactionDetail(APIView):
    """One movement of money."""

    @extend_schema(**schema.READ_TRANSACTION)
    def get(self, request: Request, transaction_id: UUID) -> Response:
        """Read a movement of money with its commands and status checks."""
        caller = caller_of(request)
        row = queries.get_transaction(operator=caller.operator, transaction_id=transaction_id)
        show = presenters.command_without_names if caller.is_reading_program else presenters.command
        commands = [show(command) for command in queries.commands_of(row)]
        attempts = [presenters.attempt(attempt) for attempt in queries.check_attempts_of(row)]
        return Response(presenters.transaction(row) | {"commands": commands, "attempts": attempts})


def _shown(row: Payment, caller: Caller) -> dict[str, Any]:
    shown = presenters.intent(row)
    return shown if caller.may_pay else presenters.without_secrets(shown)
