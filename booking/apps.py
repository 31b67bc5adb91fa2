"""Reservations: what is sold to whom, and what its payment means."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    """The app of the bookings."""

    name = "booking"
