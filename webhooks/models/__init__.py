"""What providers have told: events, which are evidence, and notices, which only make us look."""

from webhooks.models.event import OPEN, RESULT_FIELDS, Event, EventSource, EventStatus
from webhooks.models.notice import Notice, NoticeStatus

__all__ = ["OPEN", "RESULT_FIELDS", "Event", "EventSource", "EventStatus", "Notice", "NoticeStatus"]
