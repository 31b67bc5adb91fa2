"""What every page of the backoffice is made of: scoped to the person's operators, read-only unless said otherwise."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from common.errors import HoldfastError
from tenants import scoping
from tenants.models import Operator

Act = Callable[[Any, str, str], str]
"""Does something to a row for an actor and a reason, and says in a few words what came of it."""


class ScopedAdmin(admin.ModelAdmin[Any]):
    """Rows of the person's own operators only, in lists, pages, actions, searches and choices."""

    operator_path: ClassVar[str] = "operator"
    change_form_template = "backoffice/row.html"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Narrow to what the person may see."""
        return scoping.visible_to(super().get_queryset(request), request.user, path=self.operator_path)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row with its actions as buttons."""
        actions = [(name, found[2]) for name, found in self.get_actions(request).items() if found is not None]
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let staff add."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let staff change."""
        return self.has_view_permission(request)

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


def reasoned(description: str, act: Act, *, name: str) -> Callable[..., HttpResponse | None]:
    """Make an admin action that asks for a reason on a page of its own and then does ``act`` to each chosen row.

    A row that refuses (by a :class:`HoldfastError`) is told of and stops no other.
    """

    @admin.action(description=description, permissions=["view"])
    def run(modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            return _ask(modeladmin, request, queryset, description, name, asked="reason" in request.POST)
        done = sum(_do(modeladmin, request, row, act, reason) for row in queryset)
        if done:
            told = ngettext("%(what)s: %(n)d done.", "%(what)s: %(n)d done.", done) % {"what": description, "n": done}
            modeladmin.message_user(request, told, messages.SUCCESS)
        return None

    run.__name__ = name
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


def _ask(
    modeladmin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any], title: str, name: str, *, asked: bool
) -> HttpResponse:
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": title,
        "rows": queryset,
        "action": name,
        "opts": modeladmin.model._meta,
        "is_missing": asked,
    }
    return TemplateResponse(request, "backoffice/ask_reason.html", context)


def _operator_path(model: type[Model] | Any) -> str | None:
    if model is Operator:
        return ""
    names = {field.name for field in model._meta.get_fields()}
    return "operator" if "operator" in names else "resource__operator" if "resource" in names else None
