"""What providers have told.

Events are evidence; notices only make us look.
"""

from webhooks.models.event import OPEN, RESULT_FIELDS, Event, EventSource, EventStatus
from webhooks.models.notice import Notice, NoticeStatus

__all__ = ["OPEN", "RESULT_FIELDS", "Event", "EventSource", "EventStatus", "Notice", "NoticeStatus"]
