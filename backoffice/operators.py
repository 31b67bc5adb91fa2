"""The pages of operators, their people and their API clients."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import TabularInline

from adminkit import links
from adminkit.actions import reasoned
from adminkit.models import BulkRun
from adminkit.pages import EditableAdmin, ReadOnlyAdmin, SuperuserAdmin
from backoffice.accounts import AccountInline
from payments import accounts
from tenants import api_keys, roles
from tenants.models import ApiClient, Member, Operator, Scope
from tenants.roles import Permission

admin.site.unregister(Group)


class SellsFilter(admin.SimpleListFilter):
    """Chooses operators by whether an account takes their sales."""

    title, parameter_name = "sells", "sells"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the two."""
        return [("yes", "Yes"), ("no", "No: no account at a provider")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Operator]) -> QuerySet[Operator]:
        """Narrow to those chosen."""
        without = accounts.operators_without().values("pk")
        match self.value():
            case "yes":
                return queryset.exclude(pk__in=without)
            case "no":
                return queryset.filter(pk__in=without)
        return queryset


class MemberInline(TabularInline):  # type: ignore[misc]  # the theme has no types
    """Who works for an operator."""

    model = Member
    extra = 0
    autocomplete_fields: ClassVar = ["user"]


@admin.register(Operator)
class OperatorAdmin(SuperuserAdmin):
    """Operators; only a superuser makes them."""

    operator_path = ""
    zone_path = "timezone"
    list_display = (
        "name",
        "slug",
        "timezone",
        "currency",
        "is_active",
    )
    list_filter: ClassVar = [SellsFilter]
    search_fields: ClassVar = ["name", "slug"]
    readonly_fields: ClassVar = ["sells"]
    prepopulated_fields: ClassVar = {"slug": ["name"]}
    inlines: ClassVar = [AccountInline, MemberInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: everything points here. One that has gone is made inactive."""
        return False

    @admin.display(description="sells")
    def sells(self, row: Operator) -> str:
        """Name the providers whose accounts take its sales."""
        names = list(accounts.of_operator(row.pk).values_list("provider", flat=True))
        return f"by {', '.join(names)}" if names else "nothing: no account at a payment provider takes its sales"


@admin.register(ApiClient)
class ApiClientAdmin(EditableAdmin):
    """API clients, for owners and superusers.

    A key is shown once, when it is made; revoking ends it.
    """

    permission = Permission.ACCESS
    list_display = (
        "name",
        "operator",
        "key_prefix",
        "scopes",
        "created_at",
        "revoked_at",
    )
    list_select_related: ClassVar = ["operator"]
    readonly_fields: ClassVar = ["key_prefix", "created_at", "revoked_at"]
    search_fields: ClassVar = ["name", "key_prefix"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Narrow to operators that the person owns.

        A key can do what an operator's staff can.
        """
        rows = super().get_queryset(request).filter(person=None)  # people's have no key; they are under People
        if request.user.is_superuser:
            return rows
        return rows.filter(operator__in=roles.operators_where(request.user, self.permission))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let owners and superusers look."""
        return super().has_view_permission(request, obj) and roles.has_permission_anywhere(
            request.user, self.permission
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what a key may do is settled when it is made."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiClient, form: Any, change: bool) -> None:
        """Issue the key and show it."""
        scopes = [Scope(scope) for scope in form.cleaned_data["scopes"]]
        made, key = api_keys.issue(operator=obj.operator, name=obj.name, scopes=scopes)
        for field in ApiClient._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))
        self.message_user(request, f"The key, shown only now: {key}", messages.WARNING)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the scopes to choose from."""
        if db_field.name == "scopes":
            return forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @staticmethod
    def _revoke(client: ApiClient, actor: str, reason: str) -> str:
        api_keys.revoke(client=client, now=timezone.now())
        return f"{client} is revoked. Its key no longer works."

    actions = (reasoned("Revoke", _revoke, name="revoke", permission=Permission.ACCESS),)


@admin.register(BulkRun)
class BulkRunAdmin(ReadOnlyAdmin):
    """Actions on many rows, with their progress.

    A person sees their own, a superuser all.
    """

    operator_path = ""
    change_form_template = "backoffice/bulk_run.html"
    list_display = ("title", "person", "progress", "created_at", "finished_at")
    list_select_related: ClassVar = ["person"]
    fields: ClassVar = ["title", "person", "reason", "created_at"]
    """What does not change while it runs: how far it is stands above, and is read again every second."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkRun]:
        """Narrow to the person's own."""
        rows = BulkRun.objects.all()
        return rows if request.user.is_superuser else rows.filter(person=request.user.pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the progress of a run, linked to its start."""
        began_at = request.GET.get("next", "")
        context = {**(extra_context or {}), "back": began_at if links.is_ours(began_at) else ""}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description="progress")
    def progress(self, row: BulkRun) -> str:
        """Say how far it is."""
        return f"{row.done} done, {len(row.refusals)} refused, of {len(row.rows)}"
