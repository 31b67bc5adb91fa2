"""What is sold to whom, and what a payment means for a reservation."""

from django.apps import AppConfig


class BookingConfig(AppConfig):
    """The app of the bookings."""

    name = "booking"
