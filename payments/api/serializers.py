"""Payments as the HTTP contract shows them."""

from typing import Any

from rest_framework import serializers


class FailureOut(serializers.Serializer[Any]):
    """Why the money was not had."""

    code = serializers.CharField()
    message = serializers.CharField()


class PaymentOut(serializers.Serializer[Any]):
    """A payment beside its reservation."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    provider = serializers.CharField()
    provider_ref = serializers.CharField(allow_null=True)
    amount = serializers.IntegerField(help_text="In the currency's minor unit.")
    currency = serializers.CharField()
    client_secret = serializers.CharField(allow_null=True)
    next_action = serializers.DictField(allow_null=True)
    failure = FailureOut(allow_null=True)
