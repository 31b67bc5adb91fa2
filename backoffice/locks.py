"""Locks on second factors. Nothing else is locked with them."""

from django_otp.plugins.otp_totp.models import TOTPDevice


def get_device_for_update(*, user_id: object, device_id: int) -> TOTPDevice:
    """Lock a person's device, so that one code is not used twice."""
    return TOTPDevice.objects.select_for_update().get(pk=device_id, user=user_id)
