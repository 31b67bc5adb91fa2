"""Whether a departure can be had."""

from django.db import models


class SlotStatus(models.TextChoices):
    """Whether a departure can be had at this moment."""

    OPEN = "open"
    SOLD_OUT = "sold_out"
    CLOSED = "closed"
    DEPARTED = "departed"
