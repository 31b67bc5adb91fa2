"""Reading JSON bodies."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import JSONParser

from common import text_intake


class StrictJSONParser(JSONParser):
    """Reads JSON bodies with checked text; ignores any charset of the header."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Read the body.

        Raises:
            MalformedJsonError: It is no JSON that can be taken.
            ValidationError: A text in it cannot be.
        """
        return text_intake.read_json(stream.read())
