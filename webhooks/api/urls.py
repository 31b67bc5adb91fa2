"""Addresses that providers deliver to.

Each at its name, and for an operator's own account at its reference.
"""

from django.urls import path

from webhooks.api import views

urlpatterns = [
    path("<slug:provider>", views.deliver, name="webhook"),
    path("<slug:provider>/<slug:account>", views.deliver, name="account-webhook"),
]
