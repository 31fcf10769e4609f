"""Rows that are only read once something was made with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agency.admin_base import StaffAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest


class OnceUsedAdmin(StaffAdmin):
    """A list and a form of rows that nobody changes once they are used; triggers hold the same."""

    def is_used(self, obj: Any) -> bool:
        raise NotImplementedError

    def _is_used(self, obj: Any) -> bool:
        """Tell it from one look at the database: Django asks some times for one page."""
        if not hasattr(obj, "was_used"):
            obj.was_used = self.is_used(obj)
        return bool(obj.was_used)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_change_permission(request, obj)
        return may and (obj is None or not self._is_used(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or not self._is_used(obj))
