"""Limits on sign-in tries: guessing is hopeless, and locks nobody out.

Tries are counted by address; by name and address; and by name over all addresses from which that person has not
signed in before. So guesses from many addresses meet the last limit, and the person of that name does
not, where they have been. https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from common import client_address, loops
from tenants import rate_limits
from tenants.models import SignInPlace
from tenants.rate_limits import Rate

_ELSEWHERE = 10
"""Times the limit of one name and address: what is let through for a name from all places that are new to it."""
_CODES_ELSEWHERE = Rate(30, 3_600)
"""Codes are of six digits, and tried by who has the password already."""
_PLACE_DAYS = 90


def wait_for_password(request: HttpRequest, name: str) -> float | None:
    """Count a password try; returns the seconds to wait, if any.

    A try that is refused counts no further.
    """
    address = client_address.find(request.META)
    wait = rate_limits.count(f"sign-in from {address}", rate=Rate.of(settings.LOGIN_RATE))
    if wait is None:
        wait = _wait("sign-in as", _same(name), address, Rate.of(settings.LOGIN_NAME_RATE).times(_ELSEWHERE))
    return wait


def wait_for_code(request: HttpRequest, name: str) -> float | None:
    """Count a second-factor try after the right password; returns any wait."""
    return _wait("code of", _same(name), client_address.find(request.META), _CODES_ELSEWHERE)


def remember(request: HttpRequest, name: str) -> None:
    """Remember that a person has signed in from the request's address."""
    mark = _mark(_same(name), client_address.find(request.META))
    SignInPlace.objects.update_or_create(mark=mark, defaults={"last_at": Now()})


def forget_old() -> int:
    """Delete addresses without a sign-in for 90 days; returns how many.

    Safe when two run.
    """
    old = SignInPlace.objects.filter(last_at__lt=Now() - timedelta(days=_PLACE_DAYS))

    def forget(marks: Sequence[object]) -> int:
        return old.filter(pk__in=marks).delete()[0]

    return loops.batches(loops.cut(old.values_list("pk", flat=True)), forget, name="forget_sign_in_places").done


def _wait(what: str, name: str, address: str, elsewhere: Rate) -> float | None:
    wait = rate_limits.count(f"{what} {name} from {address}", rate=Rate.of(settings.LOGIN_NAME_RATE))
    if wait is None and not SignInPlace.objects.filter(mark=_mark(name, address)).exists():
        wait = rate_limits.count(f"{what} {name} from elsewhere", rate=elsewhere)
    return wait


def _same(name: str) -> str:
    """Return a name as it is counted: shortened by its hash, and the same in capitals."""
    return salted_hmac("sign-in name", name.strip().lower(), algorithm="sha256").hexdigest()[:32]


def _mark(name: str, address: str) -> str:
    """Return what stands for a person at an address; neither can be read from it."""
    return salted_hmac("sign-in place", f"{name} {address}", algorithm="sha256").hexdigest()
