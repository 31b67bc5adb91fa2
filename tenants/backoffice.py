"""What every page of the backoffice is made of: scoped to the person's operators, read-only unless said otherwise."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import ngettext

from common.errors import HoldfastError
from tenants import exporting, roles, scoping
from tenants.models import Operator
from tenants.roles import Power

Act = Callable[..., str]
"""Does something to a row for an actor and a reason, with what its form asks for; says what came of it."""


class ScopedAdmin(admin.ModelAdmin[Any]):
    """Rows of the person's own operators only, in lists, pages, actions, searches and choices."""

    operator_path: ClassVar[str] = "operator"
    export_fields: ClassVar[Sequence[str]] = ()
    """What an export tells of a row, by name; none: there is no export."""
    change_form_template = "backoffice/row.html"
    change_list_template = "backoffice/list.html"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Narrow to what the person may see."""
        return scoping.visible_to(super().get_queryset(request), request.user, path=self.operator_path)

    def get_urls(self) -> list[Any]:
        """Add the export."""
        if not self.export_fields:
            return super().get_urls()
        return [path("export/", self.admin_site.admin_view(self.export), name=self._export_name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with a link to its export as it is filtered."""
        url = f"{reverse(f'admin:{self._export_name}')}?{request.GET.urlencode()}" if self.export_fields else ""
        return super().changelist_view(request, {**(extra_context or {}), "export_url": url})

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the rows of the list as JSON: of the person's operators, filtered and ordered as it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("This is no filter of the list.") from error
        return exporting.answer(rows, fields=self.export_fields)

    @property
    def _export_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer only what the person may do at one of their operators."""
        found = super().get_actions(request)
        return {
            name: action
            for name, action in found.items()
            if (power := _power_of(action)) is None or roles.may_somewhere(request.user, power)
        }

    def operator_id_of(self, row: Any) -> UUID | None:
        """Return whose a row is; None if that is not known."""
        for name in filter(None, self.operator_path.split("__")):
            row = getattr(row, name, None)
        return None if row is None else row.pk

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with its actions as buttons."""
        row = self.get_object(request, object_id)
        actions = [
            (name, found[2])
            for name, found in self.get_actions(request).items()
            if (power := _power_of(found)) is None or roles.may(request.user, power, self.operator_id_of(row))
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "row_actions": actions})

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
    """Rows that staff may add and change, one field at a time: what a form does not show is never written over."""

    power: ClassVar[Power] = Power.SELL

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let in who may do so at one of their operators; the choices of the form are of those."""
        return roles.may_somewhere(request.user, self.power)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let in who may do so at the row's operator."""
        if obj is None:
            return roles.may_somewhere(request.user, self.power)
        return roles.may(request.user, self.power, self.operator_id_of(obj))

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only what is of operators where the person may do so."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        path = _operator_path(db_field.related_model)
        if path is not None and field is not None and not request.user.is_superuser:
            mine = roles.operators_where(request.user, self.power)
            field.queryset = field.queryset.filter(**{f"{path}__in" if path else "pk__in": mine})
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: sales point here."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write only what was changed; another request may have moved the rest since the form was read."""
        if not change:
            obj.save()
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)


class SuperuserAdmin(ScopedAdmin):
    """Rows that only a superuser sees."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers look."""
        return bool(request.user.is_active and request.user.is_superuser)


def reasoned(
    description: str, act: Act, *, name: str, power: Power, form: type[forms.Form] = forms.Form
) -> Callable[..., HttpResponse | None]:
    """Make an admin action that asks for a reason on a page of its own and then does ``act`` to each chosen row.

    What else it needs to know (an amount, some minutes), ``form`` asks for, and ``act`` is given it by name. It is
    offered to who has the power at one of their operators, and done to rows of those where they have it. A row
    that refuses (by a :class:`HoldfastError`) is told of and stops no other.
    """

    @admin.action(description=description, permissions=["view"])
    def run(modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        asked = "reason" in request.POST
        more = form(request.POST if asked else None)
        if not reason or not more.is_valid():
            context = {"title": description, "action": name, "form": more, "is_missing": asked and not reason}
            return _ask(modeladmin, request, queryset, context)
        done = sum(
            _do(modeladmin, request, row, partial(act, **more.cleaned_data), reason)
            for row in _allowed(modeladmin, request, queryset, power)
        )
        if done:
            told = ngettext("%(what)s: %(n)d done.", "%(what)s: %(n)d done.", done) % {"what": description, "n": done}
            modeladmin.message_user(request, told, messages.SUCCESS)
        return None

    run.__name__ = name
    run.power = power  # type: ignore[attr-defined]  # read by get_actions
    return run


def actor(request: HttpRequest) -> str:
    """Return the person's name in a history."""
    return f"user:{request.user.get_username()}"


def _do(modeladmin: ScopedAdmin, request: HttpRequest, row: Any, act: Act, reason: str) -> bool:
    try:
        told = act(row, actor(request), reason)
    except HoldfastError as refusal:
        modeladmin.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
        return False
    modeladmin.log_change(request, row, f"{told} Reason: {reason}")
    return True


def _allowed(modeladmin: ScopedAdmin, request: HttpRequest, rows: Iterable[Any], power: Power) -> Iterator[Any]:
    """Leave out the rows that the person may not do this to, and say so."""
    for row in rows:
        if roles.may(request.user, power, modeladmin.operator_id_of(row)):
            yield row
        else:
            modeladmin.message_user(request, f"{row}: your role does not allow this.", messages.ERROR)


def _power_of(action: Any) -> Power | None:
    return getattr(action[0], "power", None) if action else None


def _ask(
    modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any], context: dict[str, Any]
) -> HttpResponse:
    around = {**modeladmin.admin_site.each_context(request), "rows": queryset, "opts": modeladmin.model._meta}
    return TemplateResponse(request, "backoffice/ask_reason.html", around | context)


def _operator_path(model: type[Model] | Any) -> str | None:
    if model is Operator:
        return ""
    names = {field.name for field in model._meta.get_fields()}
    return "operator" if "operator" in names else "resource__operator" if "resource" in names else None
