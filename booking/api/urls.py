"""The paths of the booking API."""

from django.urls import path

from booking.api import change_views, money_views, views

urlpatterns = [
    path("resources", views.ResourceList.as_view(), name="resource-list"),
    path("resources/<uuid:resource_id>", views.ResourceDetail.as_view(), name="resource-detail"),
    path("slots", views.SlotList.as_view(), name="slot-list"),
    path("slots/<uuid:slot_id>", views.SlotDetail.as_view(), name="slot-detail"),
    path("reservations", views.ReservationList.as_view(), name="reservation-list"),
    path("reservations/<uuid:reservation_id>", views.ReservationDetail.as_view(), name="reservation-detail"),
    path("reservations/<uuid:reservation_id>/confirm", views.ReservationConfirm.as_view(), name="reservation-confirm"),
    path("reservations/<uuid:reservation_id>/cancel", views.ReservationCancel.as_view(), name="reservation-cancel"),
    path("reservations/<uuid:reservation_id>/delete", views.ReservationCancel.as_view(), name="reservation-delete"),
    path("reservations/<uuid:reservation_id>/extend", views.ReservationExtend.as_view(), name="reservation-extend"),
    path(
        "reservations/<uuid:reservation_id>/payments", money_views.ReservationPayments.as_view(), name="reservation-pay"
    ),
    path(
        "reservations/<uuid:reservation_id>/cancellation",
        money_views.ReservationCancellation.as_view(),
        name="reservation-cancellation",
    ),
    path(
        "reservations/<uuid:reservation_id>/receipts",
        money_views.ReservationReceipts.as_view(),
        name="reservation-receipts",
    ),
    path(
        "reservations/<uuid:reservation_id>/adjustments",
        money_views.ReservationAdjustments.as_view(),
        name="reservation-adjustments",
    ),
    path("reservations/<uuid:reservation_id>/change", change_views.ReservationChange.as_view(), name="change-quote"),
    path("reservations/<uuid:reservation_id>/changes", change_views.ReservationChanges.as_view(), name="change-list"),
    path(
        "reservations/<uuid:reservation_id>/changes/<uuid:change_id>/cancel",
        change_views.ReservationChangeCancel.as_view(),
        name="change-cancel",
    ),
    path("reservations/<uuid:reservation_id>/history", views.ReservationHistory.as_view(), name="reservation-history"),
]
