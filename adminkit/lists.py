"""The lists of the backoffice: columns, search, filters, exports and saved views."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin

from adminkit import date_filter, exports, large_lists, saved_views, times


class ListedAdmin(ModelAdmin):  # type: ignore[misc]  # the theme has no types
    """A list, which is quick over a large table."""

    export_fields: ClassVar[Sequence[str]] = ()
    """What an export tells of a row, by name; none: there is no export."""
    export_values: ClassVar[Mapping[str, Callable[[dict[str, Any]], Any]]] = {}
    """What works out a value of an export from the row that was read, by the field's name."""
    change_list_template = "backoffice/list.html"
    show_full_result_count = False
    list_per_page = 25
    list_max_show_all = 0
    list_fullwidth = True
    paginator = large_lists.BoundedPaginator
    period: ClassVar[str] = ""
    """The field by which a time is chosen: an indexed time, or an id that has the time in it."""
    opens_today: ClassVar[bool] = False
    """Whether the list shows what is from today on, until another time is chosen."""
    searched_exactly: ClassVar[Sequence[str]] = ()
    """Fields of large tables: each has an index, and is looked up by the whole of it. Else ``search_fields`` are."""

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Show times by the clock of their row."""
        return [times.shown(self, name) for name in super().get_list_display(request)]

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Add the choice of a time."""
        found: Sequence[Any] = super().get_list_filter(request)
        return [*found, date_filter.of(self.period, opens_today=self.opens_today)] if self.period else found

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *more: Any, **known: Any
    ) -> Any:
        """Count as far as the page asks for, and a little further."""
        paginator = super().get_paginator(request, queryset, per_page, *more, **known)
        paginator.reach = large_lists.reach(request.GET.get("p", ""), per_page)
        return paginator

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        """Show the search box for either kind of search."""
        return self.searched_exactly or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the page says."""
        text = search_term.strip()
        meant = self.meant_by(text, request) if text else None
        if meant is not None:
            return queryset.filter(meant), False
        if not text or not self.searched_exactly:
            return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]
        return large_lists.exactly(queryset, fields=self.searched_exactly, text=text), False

    def meant_by(self, text: str, request: HttpRequest) -> Q | None:
        """Return the rows that a search text means; None: search the fields."""
        return None

    def get_urls(self) -> list[Any]:
        """Add the export and the saved views."""
        own = [path("save-view/", self.admin_site.admin_view(self.save_view), name=f"{self._url_name}_save_view")]
        if self.export_fields:
            own.append(path("export/", self.admin_site.admin_view(self.export), name=f"{self._url_name}_export"))
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, with links to its export and saved views."""
        url = f"{reverse(f'admin:{self._url_name}_export')}?{request.GET.urlencode()}" if self.export_fields else ""
        context = {
            "export_url": url,
            "save_view_url": reverse(f"admin:{self._url_name}_save_view"),
            "saved_views": saved_views.of(request.user, model=self.opts.label_lower, query=request.GET.urlencode()),
        }
        answer = super().changelist_view(request, context | (extra_context or {}))
        shown = answer.context_data if isinstance(answer, TemplateResponse) else None
        if shown and "cl" in shown:
            if not (shown["cl"].query or shown["cl"].has_active_filters):
                shown["cl"].full_result_count = shown["cl"].result_count  # else the theme offers to show all of all
            shown.update(date_filter.shown(shown["cl"]))
            times.note_zones(self, shown["cl"].result_list, times.zones(request.user))
        return answer  # type: ignore[no-any-return]

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Save the filtered list under a name, or delete that name."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return saved_views.save(self, request)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the filtered rows of the person's operators as JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("The list has no such filter.") from error
        return exports.answer(rows, fields=self.export_fields, values=self.export_values)

    @property
    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def described(self, row: Any) -> str:
        """Describe a row in a few words, for search results."""
        return str(self.opts.verbose_name).capitalize()
