"""What the product is measured beside: a view that does nothing, and the way that textbooks sell a place."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from booking.models import Reservation
from booking.states import ReservationStatus
from catalogue.models import Slot
from common import ids
from payments.models import Payment
from payments.providers import registry
from payments.states import CaptureMethod, PaymentStatus
from tenants.models import ApiClient

AT: dict[str, Any] = {"created_at": Now(), "changed_at": Now()}


class Floor(APIView):
    """Does nothing: what a request costs before anybody has done anything for it."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"status": "ok"})

    post = get


class Textbook(APIView):
    """Locks the slot, looks whether there is room, asks the provider for the hold, and stores both: one transaction."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def post(self, request: Request) -> Response:
        """Reserve one place."""
        client = ApiClient.objects.select_related("operator").get(name="benchmark 0")
        with transaction.atomic():
            wanted: Any = request.data
            slot = Slot.objects.select_for_update().select_related("activity").get(pk=wanted["slot_id"])
            if slot.available < 1:
                return Response({"error": "sold out"}, status=409)
            number = ids.new_id()
            payment = Payment.objects.create(
                operator=client.operator, provider="stripe", amount=4500, currency="USD", managed_by="reservation",
                managed_id=number,
                capture_method=CaptureMethod.MANUAL, status=PaymentStatus.PROCESSING, **AT,
            )  # fmt: skip
            held = registry.get("stripe").authorize(
                parameters={"amount": 4500, "currency": "USD", "payment_id": str(payment.pk)}, key=str(payment.pk),
                account="",
            )  # fmt: skip
            Payment.objects.filter(pk=payment.pk).update(
                provider_ref=held.ref, status=PaymentStatus.ON_HOLD, held_at=Now(), changed_at=Now()
            )
            reservation = Reservation.objects.create(
                pk=number, operator=client.operator, api_client=client, activity=slot.activity, slot=slot,
                payment=payment, status=ReservationStatus.AWAITING_PAYMENT, exclusive=False, places=1, amount=4500,
                amount_owed=4500, currency="USD", customer_name="Ana Souza",
                customer_email="ana@example.com", expires_at=Now() + timedelta(hours=1), **AT,
            )  # fmt: skip
            Slot.objects.filter(pk=slot.pk).update(reserved=slot.reserved + 1)
        return Response({"reservation": {"id": str(reservation.pk)}}, status=201)
