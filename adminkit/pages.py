"""Base classes of admin pages: scoped to operators, read-only by default."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from unfold.widgets import CHECKBOX_CLASSES

from adminkit import staff_log, times
from adminkit.lists import ListedAdmin
from adminkit.refusals import refusal
from adminkit.spec import spec_of
from tenants import clocks, roles, scoping
from tenants.models import Operator, User
from tenants.roles import Permission

Shown = TypeVar("Shown")

_BOX = (
    '<input type="checkbox" name="_selected_action" value="{}" class="action-select {}" aria-label="Select this row">'
)
_BOX_CLASSES = " ".join(CHECKBOX_CLASSES)


class ScopedAdmin(ListedAdmin):
    """Shows rows of the person's own operators only.

    So do its lists, pages, actions, searches and choices.
    """

    operator_path: ClassVar[str] = "operator"
    zone_path: ClassVar[str] = ""
    """What leads to the time zone of a row, if it has one of its own; else its operator's is."""
    refusals: ClassVar[Mapping[str, str]] = {}
    """What a person reads of a constraint of the database that speaks after the form was checked, by its name."""
    change_form_template = "backoffice/row.html"
    compressed_fields = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Narrow to what the person may see."""
        return scoping.visible_to(super().get_queryset(request), request.user, path=self.operator_path)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Show read-only times in the time zone of their row."""
        found = self.fixed_fields(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            return [*found, *times.of_page(self)]
        shown = (times.shown(self, name) for name in found)
        return [*found, *(one for one in shown if one not in found)]

    def fixed_fields(self, request: HttpRequest, obj: Any) -> Sequence[Any]:
        """Name the fields that nobody may change."""
        return super().get_readonly_fields(request, obj)  # type: ignore[no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Put times where their fields stand."""
        fieldsets = super().get_fieldsets(request, obj)
        return times.in_fieldsets(self, fieldsets, self.get_readonly_fields(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer only what the person may do at one of their operators."""
        found = super().get_actions(request)
        return {
            name: action
            for name, action in found.items()
            if (spec := spec_of(action[0])) is None or roles.has_permission_anywhere(request.user, spec.permission)
        }

    @admin.display(description=ListedAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Any) -> str:
        """Write the checkbox of a row.

        The theme would render a template for each.
        """
        return format_html(_BOX, obj.pk, _BOX_CLASSES)

    def operator_id_of(self, row: Any) -> UUID | None:
        """Return whose a row is; None if that is not known."""
        for name in filter(None, self.operator_path.split("__")):
            row = getattr(row, name, None)
        return None if row is None else row.pk

    def may(self, person: Any, permission: Permission, row: Any) -> bool:
        """Say whether a person may do something to a row."""
        return roles.has_permission(person, permission, self.operator_id_of(row))

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Do an action to the chosen rows.

        A key that no row can have is dropped.
        """
        try:
            return super().response_action(request, queryset)  # type: ignore[no-any-return]
        except (ValidationError, ValueError):
            self.message_user(request, "There is no such row.", messages.ERROR)
            return None

    def staff_log_of(self, request: HttpRequest, row: Any) -> Sequence[tuple[str, staff_log.Entry]]:
        """List what people did to a row, for its page.

        A page with a timeline shows it there.
        """
        if row is None or "happened" in self.readonly_fields:
            return []
        zone, entries = times.zone_of(self, row), staff_log.list_of([row], by=self.people_told_of(request))
        return [(clocks.when(entry.at, zone, seconds=True), entry) for entry in entries]

    def people_told_of(self, request: HttpRequest) -> QuerySet[User] | None:
        """Return the people whose doings are told to a person; None: everybody's."""
        return None

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read a row once for each request.

        So its actions and its page show the same state.
        """
        rows: dict[Any, Any] = request.__dict__.setdefault("_rows_read", {})
        key = (self.opts.label_lower, object_id, from_field)
        if key not in rows:
            rows[key] = super().get_object(request, object_id, from_field)
        return rows[key]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with its actions as buttons."""
        row = self.get_object(request, object_id)
        actions = [
            (name, found[2])
            for name, found in self.get_actions(request).items()
            if (spec := spec_of(found[0])) is None
            or (row is not None and spec.fits(row) and self.may(request.user, spec.permission, row))
        ]
        context = {**(extra_context or {}), "row_actions": actions, "staff_log": self.staff_log_of(request, row)}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show or save the form.

        A refusal of the database is shown above it, and the row stays as it was.
        """
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        except (IntegrityError, OperationalError) as error:
            told = refusal(error, self.refusals)
            if told is None:
                raise
        messages.error(request, told)
        return HttpResponseRedirect(request.get_full_path())

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only what the person may see."""
        path = _operator_path(db_field.related_model)
        if "queryset" not in kwargs and path is not None:
            rows = db_field.related_model._default_manager.all()
            kwargs["queryset"] = scoping.visible_to(rows, request.user, path=path)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to staff."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let staff look; what they see is scoped."""
        return bool(request.user.is_active and request.user.is_staff)


class ReadOnlyAdmin(ScopedAdmin):
    """Nothing is added, changed or deleted here: the domain functions do that."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


class EditableAdmin(ScopedAdmin):
    """Rows that staff may add and change, one field at a time.

    A field that the form does not show is never overwritten.
    """

    permission: ClassVar[Permission] = Permission.CATALOGUE

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let people add who may at one of their operators.

        The form offers those operators only.
        """
        return roles.has_permission_anywhere(request.user, self.permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let in who may do so at the row's operator."""
        if obj is None:
            return roles.has_permission_anywhere(request.user, self.permission)
        return roles.has_permission(request.user, self.permission, self.operator_id_of(obj))

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only what is of operators where the person may do so."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        path = _operator_path(db_field.related_model)
        if path is not None and field is not None and not request.user.is_superuser:
            mine = roles.operators_where(request.user, self.permission)
            field.queryset = field.queryset.filter(**{f"{path}__in" if path else "pk__in": mine})
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: sales point here."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write changed fields only.

        Another request may have changed the rest since the form was read.
        """
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)


class SuperuserAdmin(ScopedAdmin):
    """Rows that only a superuser sees."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers look."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers add."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers change."""
        return self.has_view_permission(request)

    has_delete_permission = has_change_permission


def once(display: Callable[[Any, Any], Shown]) -> Callable[[Any, Any], Shown]:
    """Compute a page's values once for each row.

    The theme asks five times over, and a timeline is ten queries.
    """

    @wraps(display)
    def shown(page: Any, row: Any) -> Shown:
        known: dict[str, Shown] = row.__dict__.setdefault("_shown", {})
        if display.__name__ not in known:
            known[display.__name__] = display(page, row)
        return known[display.__name__]

    return shown


def add_actions(model: type[Model], *actions: Any) -> None:
    """Add actions of a higher app to a lower app's pages."""
    page = admin.site._registry[model]
    page.actions = (*(page.actions or ()), *actions)


def _operator_path(model: type[Model] | Any) -> str | None:
    if model is Operator:
        return ""
    names = {field.name for field in model._meta.get_fields()}
    return "operator" if "operator" in names else "activity__operator" if "activity" in names else None
