"""Lists of any length: counted no further than people care to know, and reached to the last row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import EmptyPage, Page, Paginator
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest

MOST_COUNTED = 10_000
MOST_FOUND = 1000  # by a search: nobody pages through more, but writes another word
ON_A_LEAF = 100


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page of rows that nobody counts; ``before`` and ``after`` are the queries of the others.

    Empty where there is none.
    """

    rows: list[Any]
    before: str
    after: str


def leaf(
    request: HttpRequest,
    name: str,
    rows: QuerySet[Any],
    read: Callable[[QuerySet[Any]], Iterable[Any]] = iter,
) -> Leaf:
    """Give the page that the parameter ``name`` asks for, the first one unless it is a number.

    ``read`` reads the rows of a slice; it gets one more than is shown, to know of a next page.
    """
    asked = request.GET.get(name, "")
    number = int(asked) if asked.isdecimal() and len(asked) < 6 else 1  # noqa: PLR2004 - of pages
    bottom = (max(1, number) - 1) * ON_A_LEAF
    found = list(read(rows[bottom : bottom + ON_A_LEAF + 1]))

    def query(other: int) -> str:
        given = request.GET.copy()
        given[name] = str(other)
        return f"?{given.urlencode()}"

    before = query(number - 1) if bottom else ""
    return Leaf(found[:ON_A_LEAF], before, query(number + 1) if found[ON_A_LEAF:] else "")


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # of any rows
    """Counts up to `MOST_COUNTED`, and reads whole rows for one page only.

    What a search finds is counted up to `MOST_FOUND`, with the keys of its pages: finding it twice
    takes twice as long. Beyond what is counted there is one page more than the one that is looked
    at, as long as rows are left.
    """

    object_list: QuerySet[Any]
    rows: QuerySet[Any] | None = None  # to read by keys without asking once more whether they fit
    is_search = False
    beyond = 0  # pages that are known only from those before them

    @property
    def most(self) -> int:
        return MOST_FOUND if self.is_search else MOST_COUNTED

    @cached_property
    def found(self) -> list[Any]:
        """The keys of what a search finds, in order."""
        return list(self.object_list.values_list("pk", flat=True)[: MOST_FOUND + 1])

    @cached_property
    def count(self) -> int:
        """The number of rows; one more than ``most`` where there are more."""
        if self.is_search:
            return len(self.found)
        return self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count()

    @property
    def is_capped(self) -> bool:
        return self.count > self.most

    @property
    def num_pages(self) -> int:
        counted = min(self.count, self.most)
        return max(1, -(-counted // self.per_page), self.beyond)

    @property
    def said(self) -> str:
        """The number of rows in words."""
        if not self.is_capped:
            return number_format(self.count, force_grouping=True)
        most = number_format(self.most, force_grouping=True)
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
        keys = self._keys((number - 1) * self.per_page)
        if not keys and number > 1:
            raise EmptyPage
        if len(keys) > self.per_page:
            self.beyond = max(self.beyond, number + 1)
        whole = self.object_list if self.rows is None else self.rows
        read = {row.pk: row for row in whole.order_by().filter(pk__in=keys)}
        rows = [read[key] for key in keys[: self.per_page] if key in read]
        return Page(rows, number, self)

    def _keys(self, bottom: int) -> list[Any]:
        """Give the keys of a page, and one more where rows are left."""
        top = bottom + self.per_page + 1
        if self.is_search and (top <= len(self.found) or not self.is_capped):
            return self.found[bottom:top]
        return list(self.object_list.values_list("pk", flat=True)[bottom:top])


class PagedList(ChangeList):
    """A list that asks the same of the database for one page as for many."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page and not self.show_all:
            self.result_list: Any = self.paginator.page(1).object_list
