"""Lists of any length: counted no further than people care to know, and reached to the last row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import EmptyPage, Page, Paginator
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

MOST_COUNTED = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # of any rows
    """Counts up to `MOST_COUNTED`, and reads whole rows for one page only.

    Beyond that there is one page more than the one that is looked at, as long as rows are left.
    """

    object_list: QuerySet[Any]
    beyond = 0  # pages that are known only from those before them

    @cached_property
    def count(self) -> int:
        """The number of rows; one more than `MOST_COUNTED` where there are more."""
        return self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count()

    @property
    def is_capped(self) -> bool:
        return self.count > MOST_COUNTED

    @property
    def num_pages(self) -> int:
        counted = min(self.count, MOST_COUNTED)
        return max(1, -(-counted // self.per_page), self.beyond)

    @property
    def said(self) -> str:
        """The number of rows in words."""
        if not self.is_capped:
            return number_format(self.count, force_grouping=True)
        most = number_format(MOST_COUNTED, force_grouping=True)
        return gettext("more than %(n)s") % {"n": most}

    def validate_number(self, number: Any) -> int:
        try:
            return super().validate_number(number)
        except EmptyPage:
            if not self.is_capped or int(number) < 1:
                raise
            return int(number)

    def page(self, number: Any) -> Page[Any]:  # as Django calls it
        """Give a page; the database sorts and skips keys, and reads only these rows whole."""
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        keys = list(
            self.object_list.values_list("pk", flat=True)[bottom : bottom + self.per_page + 1]
        )
        if not keys and number > 1:
            raise EmptyPage
        if len(keys) > self.per_page:
            self.beyond = max(self.beyond, number + 1)
        read = {row.pk: row for row in self.object_list.order_by().filter(pk__in=keys)}
        rows = [read[key] for key in keys[: self.per_page] if key in read]
        return Page(rows, number, self)


class PagedList(ChangeList):
    """A list that asks the same of the database for one page as for many."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page and not self.show_all:
            self.result_list: Any = self.paginator.page(1).object_list
