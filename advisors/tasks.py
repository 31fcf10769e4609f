"""Work of the queue: ids in, one verb."""

from uuid import UUID

from advisors import submissions
from agency.month import Month


def mail_missing(advisor_id: str, month: str) -> None:
    submissions.mail_missing(UUID(advisor_id), Month.parse(month))
