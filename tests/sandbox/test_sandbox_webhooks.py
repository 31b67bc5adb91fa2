"""Webhooks at a real endpoint that verifies signatures: every mode, retries, flushing, delivering again."""

import itertools
import re
import threading
import time
from typing import Any

import pytest
import stripe

from tests.support.sandbox_process import WEBHOOK_SECRET, Client, Control, Receiver, hold, wait_until
from tools.sandbox.delivery import Deliveries, Endpoint, Flushed
from tools.sandbox.stripe.objects import DeliveryAttempt, EventRecord

HOLD_TYPES = ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"]


def mode(control: Control, name: str) -> None:
    control.post("webhooks", {"mode": name})


def events(control: Control) -> Any:
    return control.state()["events"]


def all_delivered(control: Control) -> bool:
    return all(event["delivered"] for event in events(control))


class TestDelivery:
    def test_is_signed_and_in_order(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        intent = hold(delivering_client, metadata={"order": "7"})
        wait_until(lambda: len(receiver.received) == 3)
        received = receiver.events()
        assert [event.type for event in received] == HOLD_TYPES
        assert received[2].data.object.id == intent.id
        assert received[2].data.object.status == "requires_capture"
        assert received[0].data.object.status == "requires_confirmation"
        assert received[0].api_version == stripe.api_version
        assert received[0].pending_webhooks == 1
        wait_until(lambda: all_delivered(delivering))
        assert delivering_client.v1.events.retrieve(received[0].id).pending_webhooks == 0

    def test_names_the_request(self, delivering_client: Client, receiver: Receiver) -> None:
        intent = delivering_client.v1.payment_intents.create(
            {"amount": 1000, "currency": "eur"}, {"idempotency_key": "key-7"}
        )
        event = wait_until(receiver.events)[0]
        assert event.request.idempotency_key == "key-7"
        assert event.request.id == intent.last_response.request_id

    def test_cannot_be_forged(self, delivering_client: Client, receiver: Receiver) -> None:
        hold(delivering_client)
        body, signature, _ = wait_until(lambda: receiver.received)[0]
        for forged_body, secret in ((body + b" ", WEBHOOK_SECRET), (body, "whsec_other")):
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(forged_body, signature, secret)

    def test_keeps_each_payment_in_order_under_load(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        intents = [hold(delivering_client).id for _ in range(10)]
        wait_until(lambda: len(receiver.received) == 30)
        for intent in intents:
            own = [
                e.type
                for e in receiver.events()
                if intent in (e.data.object.id, getattr(e.data.object, "payment_intent", None))
            ]
            assert own == HOLD_TYPES


class TestRetry:
    def test_comes_with_growing_delays_and_new_timestamps(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        receiver.statuses = [500, 302, 404]
        delivering_client.v1.payment_intents.create({"amount": 1000, "currency": "eur"})
        wait_until(lambda: all_delivered(delivering))
        event = events(delivering)[0]
        assert [attempt["status"] for attempt in event["deliveries"]] == [500, 302, 404, 200]
        times = [attempt["at"] for attempt in event["deliveries"]]
        delays = [after - before for before, after in itertools.pairwise(times)]
        assert all(delay >= least for delay, least in zip(delays, (0.05, 0.1, 0.2), strict=True))
        assert len({body for body, _, _ in receiver.received}) == 1
        stamps = [int(re.match(r"t=(\d+),", signature)[1]) for _, signature, _ in receiver.received]  # type: ignore[index]
        assert stamps == [int(at) for at in times]

    def test_does_not_hold_up_the_others(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        receiver.statuses = [500]
        hold(delivering_client)
        wait_until(lambda: all_delivered(delivering))
        assert [status for _, _, status in receiver.received] == [500, 200, 200, 200]
        assert receiver.types() == [HOLD_TYPES[0], *HOLD_TYPES[1:], HOLD_TYPES[0]]

    def test_records_an_endpoint_that_is_not_there(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        delivering.post("webhooks", {"url": "http://127.0.0.1:9/nothing"})
        hold(delivering_client, confirm=False)
        attempt = wait_until(lambda: events(delivering)[0]["deliveries"])[0]
        assert attempt["status"] is None
        assert "refused" in attempt["error"]
        delivering.post("webhooks", {"url": receiver.url})
        wait_until(lambda: all_delivered(delivering))


class TestHold:
    def test_waits_for_the_flush(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        mode(delivering, "hold")
        hold(delivering_client)
        assert delivering.state()["webhooks"]["held"] == 3
        assert delivering_client.v1.events.list({"delivery_success": False}).data
        assert receiver.received == []
        assert delivering.post("webhooks/flush") == {"delivered": 3, "failed": 0}
        assert receiver.types() == HOLD_TYPES
        assert delivering.post("webhooks/flush") == {"delivered": 0, "failed": 0}

    def test_outlives_a_change_of_mode(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        mode(delivering, "hold")
        hold(delivering_client, confirm=False)
        mode(delivering, "deliver")
        later = hold(delivering_client, confirm=False)
        wait_until(lambda: receiver.received)
        assert [event.data.object.id for event in receiver.events()] == [later.id]
        assert delivering.state()["webhooks"]["held"] == 1
        delivering.post("webhooks/flush")
        assert len(receiver.received) == 2

    def test_counts_what_the_endpoint_refused(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        mode(delivering, "hold")
        hold(delivering_client)
        receiver.statuses = [500]
        assert delivering.post("webhooks/flush") == {"delivered": 2, "failed": 1}
        wait_until(lambda: all_delivered(delivering))


class TestDrop:
    def test_never_delivers(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        mode(delivering, "drop")
        lost = hold(delivering_client)
        mode(delivering, "deliver")
        delivering_client.v1.payment_intents.capture(lost.id)
        wait_until(lambda: len(receiver.received) == 2)
        assert delivering.post("webhooks/flush") == {"delivered": 0, "failed": 0}
        assert receiver.types() == ["charge.captured", "payment_intent.succeeded"]
        undelivered = delivering_client.v1.events.list({"delivery_success": False}).data
        assert [event.type for event in undelivered] == HOLD_TYPES[::-1]
        arrived = delivering_client.v1.events.list({"delivery_success": True}).data
        assert [event.type for event in arrived] == ["payment_intent.succeeded", "charge.captured"]


class TestDouble:
    def test_delivers_each_twice(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        mode(delivering, "double")
        hold(delivering_client)
        wait_until(lambda: len(receiver.received) == 6)
        ids = [event.id for event in receiver.events()]
        assert ids == [ids[0], ids[0], ids[2], ids[2], ids[4], ids[4]]
        assert len(set(ids)) == 3


class TestShuffle:
    def test_changes_the_order_and_nothing_else(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        mode(delivering, "hold")
        for _ in range(4):
            hold(delivering_client)
        mode(delivering, "shuffle")
        assert delivering.post("webhooks/flush") == {"delivered": 12, "failed": 0}
        emitted = [event["id"] for event in events(delivering)]
        received = [event.id for event in receiver.events()]
        # One in 12! of all orders is the old one.
        assert received != emitted
        assert sorted(received) == sorted(emitted)

    def test_changes_the_order_of_new_events_within_moments(
        self, delivering_client: Client, delivering: Control, receiver: Receiver
    ) -> None:
        mode(delivering, "shuffle")
        for _ in range(4):
            hold(delivering_client)
        wait_until(lambda: len(receiver.received) == 12)
        emitted = [event["id"] for event in events(delivering)]
        received = [event.id for event in receiver.events()]
        assert received != emitted
        assert sorted(received) == sorted(emitted)


class TestRedeliver:
    def test_sends_again(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        mode(delivering, "drop")
        hold(delivering_client, confirm=False)
        event_id = events(delivering)[0]["id"]
        assert delivering.post("webhooks/redeliver", {"event_id": event_id})["status"] == 200
        receiver.statuses = [503]
        assert delivering.post("webhooks/redeliver", {"event_id": event_id})["status"] == 503
        assert [event.id for event in receiver.events()] == [event_id, event_id]
        assert delivering_client.v1.events.list({"delivery_success": True}).data[0].id == event_id

    def test_refuses_strangers(self, delivering: Control) -> None:
        assert delivering.send("POST", "webhooks/redeliver", {"event_id": "evt_nobody"})[0] == 404
        assert delivering.send("POST", "webhooks/redeliver", {})[0] == 404


class TestReset:
    def test_forgets_what_was_queued(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        mode(delivering, "hold")
        hold(delivering_client)
        delivering.post("reset")
        assert delivering.state()["webhooks"]["mode"] == "deliver"
        assert delivering.post("webhooks/flush") == {"delivered": 0, "failed": 0}
        assert receiver.received == []

    def test_ends_retries(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        receiver.statuses = [500] * 3
        hold(delivering_client, confirm=False)
        wait_until(lambda: receiver.received)
        delivering.post("reset")
        before = len(receiver.received)
        fresh = hold(delivering_client, confirm=False)
        wait_until(lambda: all_delivered(delivering))
        assert {event.data.object.id for event in receiver.events()[before:]} == {fresh.id}

    def test_ends_the_retry_of_what_was_under_way(self) -> None:
        under_way, answered = threading.Event(), threading.Event()

        def send(url: str, secret: str, record: EventRecord) -> DeliveryAttempt:
            under_way.set()
            answered.wait(5)
            return DeliveryAttempt(at=0, status=500, error=None, ms=0)

        deliveries = Deliveries(send=send, endpoint=Endpoint("http://x", "whsec_x"), retry_base_seconds=60)
        deliveries.start()
        deliveries.publish(EventRecord({"id": "evt_1", "data": {"object": {"id": "pi_1"}}}))
        assert under_way.wait(5)
        threading.Timer(0.05, answered.set).start()
        deliveries.reset()
        assert deliveries.flush() == Flushed(delivered=0, failed=0)
        deliveries.stop()


class TestConfiguration:
    @pytest.mark.parametrize(
        "wrong", [{}, [], {"mode": "explode"}, {"url": 7}, {"url": "ftp://x"}, {"mode": "hold", "colour": "blue"}]
    )
    def test_refuses_what_makes_no_sense(self, delivering: Control, wrong: Any) -> None:
        assert delivering.send("POST", "webhooks", wrong)[0] == 400
        assert delivering.get("webhooks")["mode"] == "deliver"

    def test_can_change_the_secret(self, delivering_client: Client, delivering: Control, receiver: Receiver) -> None:
        delivering.post("webhooks", {"secret": "whsec_other"})
        try:
            hold(delivering_client, confirm=False)
            body, signature, _ = wait_until(lambda: receiver.received)[0]
        finally:
            delivering.post("webhooks", {"secret": WEBHOOK_SECRET})
        assert stripe.Webhook.construct_event(body, signature, "whsec_other")

    def test_is_not_needed(self, client: Client, control: Control) -> None:
        hold(client)
        started = time.monotonic()
        assert control.post("webhooks/flush") == {"delivered": 0, "failed": 0}
        assert time.monotonic() - started < 1
        assert [event["deliveries"] for event in events(control)] == [[], [], []]
        assert len(client.v1.events.list({"delivery_success": False}).data) == 3
        assert control.send("POST", "webhooks/redeliver", {"event_id": events(control)[0]["id"]})[0] == 400
