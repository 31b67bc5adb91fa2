"""``GET /metrics``: five gauges for Prometheus, all 0 when all is well."""

import secrets
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from payments.models import Command
from payments.states import COMMAND_OPEN
from reconciliation.models import Discrepancy, DiscrepancyStatus
from sweeps import health
from webhooks.models import Event, EventStatus

_UNSETTLED = (EventStatus.ORPHANED, EventStatus.FAILED)


def show(request: HttpRequest) -> HttpResponse:
    """Answer with the gauges if ``METRICS_TOKEN`` is given, else with 404."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if not token or not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    registry = CollectorRegistry()
    for name, (text, number) in _gauges().items():
        Gauge(name, text, registry=registry).set(number)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _gauges() -> dict[str, tuple[str, int]]:
    runs = health.list_runs()
    commands = Command.objects.filter(status__in=sorted(COMMAND_OPEN))
    # Those that are tried again: what is given up is a discrepancy.
    events = Event.objects.filter(status__in=_UNSETTLED, next_attempt_at__isnull=False)
    discrepancies = Discrepancy.objects.exclude(status=DiscrepancyStatus.RESOLVED)
    return {
        "holdfast_sweeps_overdue": ("Sweeps that have not run when they should have.", len(health.overdue(runs))),
        "holdfast_commands_open": ("Commands to providers whose outcome is not known.", commands.count()),
        "holdfast_events_open": ("Events of providers that could not be applied yet.", events.count()),
        "holdfast_discrepancies_open": ("Discrepancies that wait for a person.", discrepancies.count()),
        "holdfast_promises_broken": ("Promises that the last check found broken.", health.broken(runs)),
    }
