"""Serializers of the HTTP contract: strict on input, plain on output."""

import re
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from common.times import FIRST_YEAR, LAST_YEAR

LONGEST_MAIL_ADDRESS = 254

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields, so that no typo in a money call passes."""

    @classmethod
    def validated(cls, data: Any) -> dict[str, Any]:
        """Return what ``data`` says, checked.

        One serializer does it for all requests: a new one copies all its fields, which costs more than using them.

        Raises:
            ValidationError: It says something else.
        """
        if data is None:
            raise serializers.ValidationError("No data provided", "null")
        found: dict[str, Any] = _shared(cls).run_validation(data)
        return found

    def to_internal_value(self, data: Any) -> Any:
        """Validate ``data``.

        Raises:
            ValidationError: ``unknown_field`` names the first field that is not part of the contract.
        """
        if isinstance(data, dict):
            for name in data:
                if name not in self.fields:
                    detail = ErrorDetail(f"This request has no field {name!r}.", code="unknown_field")
                    raise serializers.ValidationError({str(name): [detail]})
        return super().to_internal_value(data)


@cache
def _shared(kind: type[StrictSerializer]) -> StrictSerializer:
    return kind()


class TimeField(serializers.DateTimeField):
    """A time that every zone, id and column can hold."""

    def to_internal_value(self, value: Any) -> datetime:
        """Refuse years that overflow in some zone or come before all ids."""
        at = super().to_internal_value(value)
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise serializers.ValidationError(f"The year must be {FIRST_YEAR} to {LAST_YEAR}.", "out_of_range")
        return at


class MailAddressField(serializers.EmailField):
    """A mail address, no longer than RFC 5321 and our columns allow."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_length=LONGEST_MAIL_ADDRESS, **given)


class PageQuery(StrictSerializer):
    """Which page of a list."""

    cursor = serializers.CharField(
        required=False, max_length=500, help_text="From `next` or `previous` of another page."
    )
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=100)


class PeriodQuery(PageQuery):
    """A list within a time."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add ``from`` and ``to``; ``from`` is no valid Python attribute."""
        told = {"from": "Only at or after this time.", "to": "Only before this time."}
        times = {name: TimeField(required=False, help_text=text) for name, text in told.items()}
        return {**super().get_fields(), **times}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a time that ends before it begins."""
        if "from" in attrs and "to" in attrs and attrs["to"] < attrs["from"]:
            detail = ErrorDetail("This must not be before `from`.", code="min_value")
            raise serializers.ValidationError({"to": [detail]})
        return attrs


class StrictIntegerField(serializers.IntegerField):
    """An integer as JSON writes it: no strings, no floats, no booleans."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse anything but an int."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """A boolean as JSON writes it: no texts, no numbers."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse anything but true and false."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictUUIDField(serializers.UUIDField):
    """A UUID as a JSON string; DRF would accept a number too."""

    def to_internal_value(self, data: Any) -> UUID:
        """Refuse anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictDateField(serializers.DateField):
    """A date as the contract writes it, such as 2026-12-01."""

    def to_internal_value(self, value: Any) -> date:
        """Refuse any other way to write it."""
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        found: date = super().to_internal_value(value)
        if found.year > LAST_YEAR:
            raise serializers.ValidationError(f"The year must be at most {LAST_YEAR}.", "out_of_range")
        return found


class MetadataField(serializers.DictField):
    """A client's own data: at most 50 texts of 500 characters.

    Their names have at most 40.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=500, allow_blank=True), **given)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Refuse more than that."""
        value: dict[str, str] = super().to_internal_value(data)
        if len(value) > 50 or any(len(key) > 40 for key in value):
            raise serializers.ValidationError("At most 50 entries, with keys of at most 40 characters.", "too_long")
        return value


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
