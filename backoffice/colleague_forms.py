"""Forms to add a colleague and to change their role."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from tenants import colleagues, roles
from tenants.models import Member, Operator, Role, User
from tenants.roles import ROLE_PERMISSIONS, Permission

POOL = (
    "People sign in by Cognito here: put them into the group holdfast:<operator>:<role> of the user pool, and they "
    "are colleagues from their next sign-in on. They have no password here."
)
LINK = (
    "They set a password by a link that is shown once, on the next page. It works once, and for three days. "
    "They sign in as name@operator, or with their mail address."
)


def operators_of(person: Any) -> QuerySet[Operator]:
    """Select the operators to which a person may add colleagues."""
    mine = Operator.objects.filter(is_active=True)
    return mine if person.is_superuser else mine.filter(pk__in=roles.operators_where(person, Permission.ACCESS))


def roles_for(person: Any, operator: Operator | None) -> list[tuple[str, str]]:
    """List the roles that a person may give (None: any operator).

    None of them may do more than the person.
    """
    if person.is_superuser:
        return list(Role.choices)
    places = Member.objects.filter(user=person, operator__in=operators_of(person) if operator is None else [operator])
    permissions = [ROLE_PERMISSIONS[role] for role in places.values_list("role", flat=True)]
    return [choice for choice in Role.choices if any(ROLE_PERMISSIONS[choice[0]] <= mine for mine in permissions)]


class _PlaceForm(forms.Form):
    """At which of their operators; a person who has one need not say."""

    person: Any = None
    operator = forms.ModelChoiceField(queryset=Operator.objects.none())

    def offer(self, person: Any) -> None:
        """Offer what the person may choose."""
        self.person = person
        field = cast("forms.ModelChoiceField[Operator]", self.fields["operator"])
        field.queryset = operators_of(person)
        if field.queryset.count() == 1:
            field.required, field.initial = False, field.queryset.get()

    def clean_operator(self) -> Operator:
        """Take the only one, if none is said."""
        chosen: Operator | None = self.cleaned_data["operator"] or self.fields["operator"].initial
        if chosen is None:
            raise forms.ValidationError("Choose an operator.")
        return chosen


class _RoleForm(_PlaceForm):
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AGENT)

    def offer(self, person: Any) -> None:
        """Offer the roles that the person may give."""
        super().offer(person)
        self.fields["role"].choices = roles_for(person, None)  # type: ignore[attr-defined]

    def clean_role(self) -> Role:
        """Refuse a role that may more than the person does there."""
        role, operator = self.cleaned_data["role"], self.cleaned_data.get("operator")
        if operator is not None and role not in dict(roles_for(self.person, operator)):
            raise forms.ValidationError("You cannot give a role above your own.")
        return Role(role)


class RemoveForm(_PlaceForm):
    """Where a place is taken away."""

    def for_rows(self, rows: QuerySet[User], person: Any) -> None:
        """Offer the person's operators."""
        self.offer(person)


class ChangeRoleForm(_RoleForm):
    """Which role a colleague has from now on."""

    def for_rows(self, rows: QuerySet[User], person: Any) -> None:
        """Offer the person's operators and roles.

        Of one colleague, their present role stands first.
        """
        self.offer(person)
        places = Member.objects.filter(user__in=rows.order_by(), operator__in=operators_of(person))[:2]
        if len(places) == 1:
            self.fields["role"].initial = places[0].role


class OwnPeopleForm(forms.Form):
    """Refuses people who also work for operators of others.

    One operator must not open their account.
    """

    def for_rows(self, rows: QuerySet[User], person: Any) -> None:
        """Take note of both."""
        self.rows, self.person = rows, person

    def clean(self) -> dict[str, Any]:
        """Check them.

        Raises:
            ValidationError: One is not the person's own.
        """
        if not self.person.is_superuser:
            mine = colleagues.only_of(User.objects.all(), roles.operators_where(self.person, Permission.ACCESS))
            if self.rows.exclude(pk__in=mine.values("pk")).exists():
                raise forms.ValidationError("Only an administrator can do this for this person.")
        return self.cleaned_data


class LinkForm(OwnPeopleForm):
    """For whom a link is made."""

    def clean(self) -> dict[str, Any]:
        """Refuse where nobody has a password.

        Raises:
            ValidationError: People sign in by Cognito.
        """
        if settings.IDENTITY.has_sign_in:
            raise forms.ValidationError(POOL)
        return super().clean()


class ColleagueForm(_RoleForm, forms.ModelForm[User]):
    """Who the new colleague is, and as what."""

    username = forms.CharField(
        label="Name to sign in", max_length=60, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Empty: what stands before the @ of the mail address.",
    )  # fmt: skip
    email = forms.EmailField(label="Mail address", max_length=254, required=False, widget=UnfoldAdminEmailInputWidget)

    class Meta:
        model = User
        fields = ("first_name", "last_name")

    def __init__(self, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known)
        self.offer(self.person)
        for name in ("operator", "role"):
            field = cast(forms.ChoiceField, self.fields[name])
            field.widget = UnfoldAdminSelectWidget(choices=field.choices)

    def clean(self) -> dict[str, Any]:
        """Refuse a person who is already a colleague there.

        Raises:
            ValidationError: They are a colleague, have neither name nor address, or people sign in by Cognito.
        """
        if settings.IDENTITY.has_sign_in:
            raise forms.ValidationError(POOL)
        given: dict[str, Any] = self.cleaned_data
        name = colleagues.short_name(given.get("username") or given.get("email") or "")
        if not name and not self.errors:
            raise forms.ValidationError("Enter a name or a mail address.")
        operator = given.get("operator")
        if operator is not None and name:
            found = colleagues.find_colleague(operator=operator, name=name, email=given.get("email") or "")
            if found is not None:
                raise forms.ValidationError(f"{found} is already a colleague at {operator}.")
        return given
