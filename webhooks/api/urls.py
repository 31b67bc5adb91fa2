"""Where providers deliver."""

from django.urls import path

from webhooks.api import views

urlpatterns = [
    path("stripe", views.stripe, name="stripe-webhook"),
    path("stripe/<slug:account>", views.stripe, name="stripe-account-webhook"),
]
