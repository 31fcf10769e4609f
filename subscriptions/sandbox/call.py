"""One call of an operation: what it works on and what it was given."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from subscriptions.sandbox import events
from subscriptions.sandbox.errors import ApiError, no_such
from subscriptions.sandbox.objects import page
from subscriptions.sandbox.state import Json, State

DEFAULT_LIMIT, MAX_LIMIT = 10, 100


@dataclass(frozen=True)
class Call:
    state: State
    ids: dict[str, str] = field(default_factory=dict)  # of the address
    given: Json = field(default_factory=dict)
    base_url: str = ""
    request_id: str = ""
    idempotency_key: str = ""

    def fetch(self, kind: str, name: str = "") -> Json:
        """Return the object whose id stands in the address, under the name of its kind."""
        identity = self.ids[name or kind]
        found = self.state.find(kind, identity)
        if found is None:
            raise no_such(kind.replace("_", " "), identity, param=name or kind)
        return found

    def record(self, event: str, subject: Json, *, before: Json | None = None) -> None:
        events.record(
            self.state,
            event,
            subject,
            request={
                "id": self.request_id or None,
                "idempotency_key": self.idempotency_key or None,
            },
            before=before,
        )

    def listed(self, items: Iterable[Json], url: str) -> Json:
        """Return one page: after ``starting_after``, within ``created``, at most ``limit``."""
        limit = self.given.get("limit", DEFAULT_LIMIT)
        if not 1 <= limit <= MAX_LIMIT:
            raise ApiError(400, f"Invalid limit: must be between 1 and {MAX_LIMIT}", param="limit")
        found = [item for item in items if created_within(item, self.given.get("created", {}))]
        start = 0
        if after := self.given.get("starting_after"):
            position = {item["id"]: index for index, item in enumerate(found)}
            if after not in position:
                raise no_such("object", after, param="starting_after", status=400)
            start = position[after] + 1
        end = start + limit
        return page(found[start:end], url, has_more=len(found) > end)


def created_within(item: Json, bounds: dict[str, int]) -> bool:
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    return all(tests[name](item["created"], bound) for name, bound in bounds.items())
