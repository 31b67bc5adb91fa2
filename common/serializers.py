"""Serializers of the HTTP contract: strict about what comes in, plain about what goes out."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail


class StrictSerializer(serializers.Serializer[Any]):
    """Refuse fields that the contract does not name, so that a typo in a money call is never ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate ``data``.

        Raises:
            ValidationError: ``unknown_field`` names the first field that is not part of the contract.
        """
        if isinstance(data, dict):
            for name in data:
                if name not in self.fields:
                    detail = ErrorDetail(f"There is no field {name!r} here.", code="unknown_field")
                    raise serializers.ValidationError({str(name): [detail]})
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """An integer as JSON writes it: no strings, no floats, no booleans."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse anything but an int."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictUUIDField(serializers.UUIDField):
    """A UUID as JSON writes it: DRF would take a number too, and find nothing by it."""

    def to_internal_value(self, data: Any) -> UUID:
        """Refuse anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class ErrorBody(serializers.Serializer[Any]):
    """What went wrong, for a program and for a person."""

    type = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    param = serializers.CharField(allow_null=True)
    request_id = serializers.CharField()


class ErrorEnvelope(serializers.Serializer[Any]):
    """The body of every answer that is not a success."""

    error = ErrorBody()
