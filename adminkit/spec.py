"""The specification of a desk action: name, function and permission."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms

from tenants.roles import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an action did, in one sentence.

    ``once`` and its ``link`` are shown to the person now, and kept nowhere.
    """

    text: str
    once: str = ""
    link: str = ""


Act = Callable[..., str | Told]
"""Does something to a row for an actor and a reason, with what its form asks for; says in a sentence what it did."""


def always(row: Any) -> bool:
    """Fit every row."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """What an action does, and who may have it done."""

    name: str
    description: str
    act: Act
    permission: Permission
    form: type[forms.Form] = field(default=forms.Form)
    fits: Callable[[Any], bool] = always


def spec_of(action: Any) -> ActionSpec | None:
    """Return the specification of an action; None if not ours."""
    return getattr(action, "spec", None)
