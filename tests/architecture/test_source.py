"""What the rules look at: every package, and each module in full."""

from tests.support import source


def test_every_package_of_the_product_is_looked_at() -> None:
    packages = {module.package for module in source.product()}
    assert packages >= {
        "adminkit", "backoffice", "booking", "catalogue", "common", "config", "idempotency", "notifications",
        "payments",
        "reconciliation", "sweeps", "tenants", "webhooks",
    }  # fmt: skip
    assert not packages & (source.TOOLS | {"tests"})


def test_what_stands_behind_a_comment_or_a_docstring_is_seen() -> None:
    module = source.parse("booking/planted.py", '"""Text."""\n# a comment\nx = "seen"\n\ndef f():\n    """Not."""\n')
    assert [text.value for text in module.texts()] == ["seen"]
