"""The deliberate mutants: each takes one safety away, as a hurried change might."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A text of a file that is replaced, and the tests of the suite that are there for it."""

    name: str
    file: str
    text: str
    sabotage: str
    suite: str


MUTANTS = (
    Mutant("the slot is not locked", "booking/places.py",
           """    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"slot": slot_id, "places": places, "now": now})
        if cursor.rowcount == 1:
            return
    _refuse_unless_there_is_room(locks.get_slot_for_update(slot_id=slot_id), places, now)
    _add({slot_id: places})
""",
           """    slot = Slot.objects.get(pk=slot_id)
    _refuse_unless_there_is_room(slot, places, now)
    Slot.objects.filter(pk=slot_id).update(reserved=slot.reserved + places)
""",
           "tests/concurrency/test_last_places.py"),
    Mutant("places are given back twice", "booking/places.py",
           "freed[reservation.slot_id] -= reservation.places", "freed[reservation.slot_id] -= 2 * reservation.places",
           "tests/booking/test_lifecycle.py"),
    Mutant("a hold past its time is confirmed", "booking/confirming.py",
           "if reservation.is_due(now) or reservation.status", "if reservation.status",
           "tests/booking/test_lifecycle.py"),
    Mutant("expiry releases no hold", "booking/expiring.py", "releases.append(", "(lambda command: None)(",
           "tests/booking/test_lifecycle.py"),
    Mutant("a hold that comes too late is kept", "booking/settlement.py",
           'settling.release(reservation.payment, at, reason="a hold for a reservation that is over")', "[]",
           "tests/booking/test_lifecycle.py"),
    Mutant("late money is kept", "booking/late_money.py", "    return [refund, command]\n", "    return []\n",
           "tests/booking/test_late_money.py"),
    Mutant("a query forgets its operator", "booking/reading.py",
           'scoping.of_operator(Reservation.objects.select_related("payment"), operator)',
           'Reservation.objects.select_related("payment").all()', "tests/tenants/test_scope.py"),
    Mutant("a time-out is taken for a refusal", "payments/providers/stripe.py",
           'raise OutcomeUnknownError(f"{what}',
           'raise RefusedError(**_refusal(error, account))\n        raise OutcomeUnknownError(f"{what}',
           "tests/crash/test_lost_answers.py"),
    Mutant("a retry has a new key", "payments/providers/stripe.py",
           'return options | ({"idempotency_key": key} if key else {})',
           'return options | ({"idempotency_key": key + str(id(options))} if key else {})',
           "tests/crash/test_lost_answers.py"),
    Mutant("commands overtake each other", "payments/commands.py",
           "AND e.id <> c.id\n", "AND FALSE\n",
           "tests/payments/test_commands.py"),
    Mutant("a command's lease is ignored", "payments/commands.py",
           "AND coalesce(c.leased_until, '-infinity') <= now()", "", "tests/payments/test_commands.py"),
    Mutant("a connection is held across the network", "payments/sending.py",
           "    database.leave_database()\n    provider = registry.get(command.payment.provider)\n    try:",
           "    provider = registry.get(command.payment.provider)\n    try:", "tests/concurrency/test_pool.py"),
    Mutant("the answer to a capture makes it paid", "payments/applying.py",
           "    if news.event_id is None:\n", "    if False:\n", "tests/payments/test_applying.py"),
    Mutant("money of another amount counts", "payments/applying.py",
           "    if ours != (theirs.account, theirs.amount, theirs.currency):\n", "    if ours[0] != theirs.account:\n",
           "tests/payments/test_applying.py"),
    Mutant("more is refunded than there is", "payments/refund_requests.py",
           "if not 0 < wanted <= left:", "if wanted <= 0:", "tests/payments/test_refunds.py"),
    Mutant("the answer to a refund settles it", "payments/refunding.py",
           "_STATUSES.get(theirs.status) if news.event_id is not None else None", "_STATUSES.get(theirs.status)",
           "tests/payments/test_refunds.py"),
    Mutant("an unsigned event is trusted", "payments/providers/stripe_signature.py",
           "    if not any(hmac.compare_digest(", "    if not signatures and not any(hmac.compare_digest(",
           "tests/webhooks/test_signature.py"),
    Mutant("an event is taken in twice", "webhooks/inbox.py",
           "        if not _insert(event):\n            return Receipt.DUPLICATE\n", "        _insert(event)\n",
           "tests/webhooks/test_inbox.py"),
    Mutant("the savepoint is ignored", "webhooks/inbox.py",
           "        with transaction.atomic():\n            effect", "        if True:\n            effect",
           "tests/webhooks/test_inbox.py"),
    Mutant("an event that could not be stored is answered 200", "webhooks/api/views.py",
           "    except BusyError:\n        return exception_handler.answer(",
           "    except BusyError:\n        return JsonResponse({}) or exception_handler.answer(",
           "tests/webhooks/test_inbox.py"),
    Mutant("nobody is told of what is stuck", "reconciliation/matters.py",
           "    discrepancies.keep_with_stuck,\n", "", "tests/reconciliation/test_stuck.py"),
    Mutant("a key answers anew", "idempotency/keys.py",
           "    if first.status_code is None:\n        raise KeyInUseError\n", "", "tests/idempotency/test_keys.py"),
)  # fmt: skip
