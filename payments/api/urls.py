"""The paths of the payments API."""

from django.urls import path

from payments.api import views

urlpatterns = [
    path("payment_intents", views.IntentList.as_view()),
    path("payment_intents/<uuid:intent_id>", views.IntentDetail.as_view()),
    path("payment_intents/<uuid:intent_id>/confirm", views.IntentConfirm.as_view()),
    path("payment_intents/<uuid:intent_id>/capture", views.IntentCapture.as_view()),
    path("payment_intents/<uuid:intent_id>/cancel", views.IntentCancel.as_view()),
    path("payments/<uuid:intent_id>", views.PaymentDetail.as_view()),
    path("refunds", views.RefundList.as_view()),
    path("refunds/<uuid:refund_id>", views.RefundDetail.as_view()),
    path("transactions", views.TransactionList.as_view()),
    path("transactions/<uuid:transaction_id>", views.TransactionDetail.as_view()),
]
