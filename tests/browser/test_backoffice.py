"""The backoffice in a real browser: Chromium, headless, against the real web server.

``SCREENSHOTS=docs/images make test ARGS=tests/browser`` draws the pictures of the README anew.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from booking.models import Reservation
from catalogue.models import Slot
from sweeps import registry
from tenants.models import Operator, User
from tests.browser.conftest import CHROMIUM
from tests.support import servers, stripe_events
from tests.support.api import Frontend
from tests.support.environment import ROOT
from tests.support.factories import make_client
from tests.support.sandbox_client import Sandbox
from tools.demo import data, past

PICTURES = os.environ.get("SCREENSHOTS", "")
PHONE = 390

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment, sync_playwright() as playwright:
        # Playwright has an event loop in this thread, which Django takes for one of its own.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def login(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The demo's data, with a little past; returns the login."""
    made = data.load(now=timezone.now(), login_file=tmp_path / "login.json")
    past.load(reservations=80_000 if PICTURES else 500, now=timezone.now(), progress=lambda done: None)
    return made


@pytest.fixture
def sale(login: dict[str, str], sandbox: Sandbox) -> Reservation:
    """A reservation that was held, confirmed and paid, and its guest told."""
    operator = Operator.objects.get(slug="mare-alta")
    frontend = Frontend(make_client(operator)[1])
    slot = Slot.objects.filter(activity__name="Sea kayaking", starts_at__gt=timezone.now()).order_by("starts_at")[3]
    made = frontend.reserve(slot, adults=2, customer={"name": "Inês Gonçalves", "email": "ines@example.com"}).json()
    frontend.post(f"reservations/{made['reservation']['id']}/confirm")
    stripe_events.deliver_all(sandbox)
    registry.run("send_mails")
    return Reservation.objects.get(pk=made["reservation"]["id"])


@pytest.fixture
def address(login: dict[str, str], tmp_path: Path) -> Iterator[str]:
    with (
        (tmp_path / "web.log").open("wb") as log,
        servers.web(log, {"WEB_PROCESSES": "1", "LOGIN_RATE": "1000/min"}) as running,
    ):
        yield running


def sign_in(context: BrowserContext, address: str) -> None:
    """Have the owner signed in. Signing in as a person does has a test of its own."""
    client = Client()
    client.force_login(User.objects.get(username="marta"))
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """Signed in; whatever the browser complains of, a script that was not let run too, fails the test."""
    context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    sign_in(context, address)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/admin/")
    expect(page.get_by_role("heading", name=re.compile("Departures on"))).to_be_visible()
    yield page
    context.close()
    assert complaints == []


def opened(page: Page, path: str) -> None:
    """Open a page of the desk, which must be there."""
    answer = page.goto(f"/admin/{path}")
    assert answer is not None, path
    assert answer.ok, path


def faults(page: Page) -> list[str]:
    """Return the serious faults that axe finds in what a page shows."""
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{fault['id']}: {fault['help']} {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def picture(page: Page, name: str) -> None:
    """Draw a picture for the README, if asked for."""
    if PICTURES:
        page.screenshot(path=ROOT / PICTURES / f"{name}.png")


class TestBackoffice:
    def test_the_dashboard_tells_how_the_day_goes(self, page: Page, sale: Reservation) -> None:
        for sweep in registry.SWEEPS:
            registry.run(sweep)
        page.reload()
        for heading in ("Departures on", "Needs a person", "Captured by day, EUR", "Reservations by day"):
            expect(page.get_by_role("heading", name=re.compile(heading))).to_be_visible()
        expect(page.get_by_text(re.compile(r"\d+ of \d+")).first).to_be_visible()
        assert faults(page) == []
        picture(page, "dashboard")

    def test_a_guest_is_found_refunded_and_the_timeline_tells_of_it(self, page: Page, sale: Reservation) -> None:
        page.keyboard.press("Control+k")
        page.get_by_placeholder("Type to search").first.press_sequentially("goncalves ines")
        page.get_by_role("link", name=re.compile(sale.reference)).click()
        expect(page.get_by_text("confirmed → paid")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Refund").click()
        assert faults(page) == []
        page.get_by_label("Amount").fill("20")
        page.get_by_label("Reason").fill("The sea was too rough for the child")
        page.locator("form.hf-ask").get_by_role("button", name="Refund").click()
        expect(page.get_by_text("20.00 EUR is being refunded to Inês Gonçalves.").first).to_be_visible()
        page.goto(f"/admin/booking/reservation/{sale.pk}/change/")
        expect(page.get_by_text("refund of 20.00 EUR")).to_be_visible()
        page.set_viewport_size({"width": 1280, "height": 1100})
        picture(page, "timeline")

    def test_a_departure_is_closed_because_of_the_wind(self, page: Page, sale: Reservation) -> None:
        assert sale.slot is not None
        page.goto(f"/admin/catalogue/slot/{sale.slot.pk}/change/")
        assert faults(page) == []
        page.get_by_role("button", name="Close to new reservations").click()
        page.get_by_role("textbox", name="Reason").fill("Wind of 30 knots")
        page.locator("form.hf-ask").get_by_role("button").click()
        expect(page.get_by_text("is closed to new reservations.").first).to_be_visible()
        sale.slot.refresh_from_db()
        assert sale.slot.is_closed

    def test_a_list_is_filtered_saved_and_acted_on(self, page: Page, sale: Reservation) -> None:
        page.goto("/admin/catalogue/slot/?is_closed__exact=0")
        page.get_by_label("Name of this view").fill("Open ones")
        page.get_by_role("button", name="Save view").click()
        expect(page.get_by_role("link", name="Open ones")).to_be_visible()
        page.locator("#action-toggle").check()
        page.locator("select[name=action]").select_option("close")
        page.get_by_role("button", name="Run").click()
        page.get_by_role("textbox", name="Reason").fill("Storm")
        page.locator("form.hf-ask").get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text("0 done, 0 refused, of 25 …")
        registry.run("carry_on_bulk_runs")
        expect(page.get_by_role("status")).to_contain_text("25 done, 0 refused, of 25: finished.")
        assert faults(page) == []

    def test_pages_are_for_everybody(self, page: Page, sale: Reservation) -> None:
        found = {}
        for path in (
            "booking/reservation/", "payments/payment/", "notifications/mail/", "reconciliation/discrepancy/",
            "catalogue/slot/add/", "second-factor/",
        ):  # fmt: skip
            opened(page, path)
            if serious := faults(page):
                found[path] = serious
        assert found == {}

    def test_it_fits_a_telephone(self, page: Page, sale: Reservation) -> None:
        page.set_viewport_size({"width": PHONE, "height": 800})
        for path in ("", "booking/reservation/", f"booking/reservation/{sale.pk}/change/", "catalogue/slot/"):
            opened(page, path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, path
            assert faults(page) == []
        page.goto(f"/admin/booking/reservation/{sale.pk}/change/")
        page.get_by_role("button", name="Move to another departure").click()
        expect(page.get_by_role("textbox", name="Reason")).to_be_visible()


class TestFaults:
    def test_would_be_found(self, chromium: Browser) -> None:
        page = chromium.new_page()
        page.set_content(
            '<html lang="en"><title>x</title><main><h1>x</h1><img src="x"><input type="text"></main></html>'
        )
        assert [fault.split(":")[0] for fault in faults(page)] == ["image-alt", "label"]
        page.close()


class TestSignIn:
    def test_the_page_is_for_everybody_and_lets_one_in(
        self, chromium: Browser, address: str, login: dict[str, str]
    ) -> None:
        context = chromium.new_context(base_url=address)
        page = context.new_page()
        page.goto("/admin/")
        assert faults(page) == []
        marta = User.objects.get(username="marta")
        with override_settings(PASSWORD_HASHERS=settings.PASSWORD_HASHERS[1:]):  # as in the process of the web server
            marta.set_password(login["admin_password"])
        marta.save()
        page.get_by_label("Username").fill("marta")
        page.get_by_label("Password").fill(login["admin_password"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name=re.compile("Departures on"))).to_be_visible()
        context.close()
