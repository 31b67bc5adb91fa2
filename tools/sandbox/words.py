"""Long lists of names, written as one text so that they can be read."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())
