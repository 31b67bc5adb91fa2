"""The pages of people: an owner's colleagues, and for a superuser everybody."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from adminkit import links
from adminkit.actions import reasoned
from adminkit.pages import ScopedAdmin
from adminkit.spec import Told
from backoffice.colleague_forms import LINK, POOL, ChangeRoleForm, ColleagueForm, LinkForm, OwnPeopleForm, RemoveForm
from tenants import colleagues, roles
from tenants.models import Member, Operator, Role, User
from tenants.roles import Permission

_ADD = ("email", "username", ("first_name", "last_name"), "operator", "role")
_SEEN = ("username", ("first_name", "last_name"), "email", "places")


def _take_second_factor_away(person: User, actor: str, reason: str) -> str:
    number, _ = TOTPDevice.objects.filter(user=person).delete()
    return f"{number} second factor{'' if number == 1 else 's'} of {person} taken away."


def _change_role(person: User, actor: str, reason: str, operator: Operator, role: Role) -> str:
    colleagues.change_role(person=person, operator=operator, role=role)
    return f"{person} is now {role.label.lower()} at {operator}."


def _remove(person: User, actor: str, reason: str, operator: Operator) -> str:
    colleagues.remove(person=person, operator=operator)
    return f"{person} no longer has a role at {operator}."


def _link(person: User, actor: str, reason: str) -> Told:
    once = f"{person} sets a password with this link, which is shown only now:"
    return Told(text=f"A password link was made for {person}.", once=once, link=colleagues.password_link(person))


@admin.register(User)
class PersonAdmin(ScopedAdmin, UserAdmin):  # type: ignore[misc, type-arg]  # the theme has no types
    """People of the backoffice.

    An owner sees and adds those of their operators; a superuser everybody.

    Who leaves is made inactive: histories have their name.
    """

    operator_path = ""
    list_display = ("username", "first_name", "last_name", "email", "places")
    list_filter: ClassVar = []
    sortable_by = ("username", "last_name")
    filter_horizontal: ClassVar = []
    fieldsets: ClassVar = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "cognito_sub", "places"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "last_login", "date_joined"]}),
    ]
    readonly_fields: ClassVar = ["cognito_sub", "last_login", "date_joined", "places"]
    form = UserChangeForm
    add_form = ColleagueForm
    add_form_template = "backoffice/row.html"
    change_password_form = AdminPasswordChangeForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Narrow to an owner's colleagues and their roles at these operators."""
        people, places = User.objects.order_by("username"), Member.objects.select_related("operator")
        if not request.user.is_superuser:
            places = places.filter(operator__in=roles.operators_where(request.user, Permission.ACCESS))
            people = people.filter(pk__in=places.values("user"))
        return people.prefetch_related(Prefetch("memberships", queryset=places, to_attr="places_seen"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Choose the fields: for a new colleague, for an owner, or all."""
        if obj is None:
            text = POOL if settings.IDENTITY.has_sign_in else LINK
            return [(None, {"fields": _ADD, "description": text})]
        return super().get_fieldsets(request, obj) if request.user.is_superuser else [(None, {"fields": _SEEN})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **known: Any) -> Any:
        """Tell the form who asks.

        Read-only fields need no advice on how to type them.
        """
        if obj is not None and not self.has_change_permission(request, obj):
            known["help_texts"] = {"username": ""}
        form: Any = super().get_form(request, obj, change=change, **known)
        if obj is None:
            form.person = request.user
        return form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form to people who may add, even without change permission."""
        try:
            return self.changeform_view(request, None, form_url, extra_context)
        except colleagues.ColleagueExistsError as refusal:  # made by somebody else since the form was checked
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Add the colleague, and show the link that sets a password."""
        if change:
            obj.save()
            return
        given = form.cleaned_data
        made = colleagues.add(
            operator=given["operator"], role=given["role"], name=given["username"], email=given["email"],
            first_name=given["first_name"], last_name=given["last_name"],
        )  # fmt: skip
        for field in User._meta.concrete_fields:
            setattr(obj, field.attname, getattr(made, field.attname))
        obj._state.adding = False
        link = request.build_absolute_uri(colleagues.password_link(made))
        told = f"{made} sets a password with this link, which is shown only now: {link}"
        self.message_user(request, told, messages.WARNING)

    def may(self, person: Any, permission: Permission, row: User) -> bool:
        """Let owners do it to their colleagues."""
        if person.is_superuser:
            return bool(person.is_active)
        return row.memberships.filter(operator__in=roles.operators_where(person, permission)).exists()

    def people_told_of(self, request: HttpRequest) -> QuerySet[User] | None:
        """Limit an owner's log to what their own colleagues did."""
        return None if request.user.is_superuser else self.get_queryset(request)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Redirect an owner to the person's page, which shows their part."""
        if request.user.is_superuser:
            return super().history_view(request, object_id, extra_context)
        row = self.get_object(request, object_id)
        return HttpResponseRedirect(links.list_of(User) if row is None else links.page_of(row))

    @admin.display(description="places")
    def places(self, row: User) -> str:
        """Show at which operators they are what."""
        seen = getattr(row, "places_seen", ())
        return ", ".join(f"{place.get_role_display()} at {place.operator}" for place in seen) or "—"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let owners and superusers look."""
        return super().has_view_permission(request, obj) and roles.has_permission_anywhere(
            request.user, Permission.ACCESS
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let owners and superusers add."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers change an account: it may be of other operators too."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    actions = (
        reasoned("Change the role", _change_role,
                 name="change_role", permission=Permission.ACCESS, form=ChangeRoleForm),
        reasoned("Make a new password link", _link, name="password_link", permission=Permission.ACCESS, form=LinkForm,
                 fits=lambda row: row.is_active),
        reasoned("Take their place away", _remove, name="remove", permission=Permission.ACCESS, form=RemoveForm),
        reasoned("Take the second factor away", _take_second_factor_away,
                 name="no_second_factor", permission=Permission.ACCESS, form=OwnPeopleForm),
    )  # fmt: skip
