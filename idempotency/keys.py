"""Claiming a key, keeping its answer, letting it go.

A claim is committed before the work begins, so two first requests cannot both run: the unique constraint lets one in.
A run that dies leaves a claim whose lease ends; the retry takes it over *with the same operation id*, which is the id
of what the first run may have made. The claim id fences a run that was only slow: it can no longer write the answer.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Now

from common import ids, leases, loops, processes, text_intake
from common.errors import HoldfastError
from common.locking import AsOf, clocked
from idempotency.errors import KeyInUseError, KeyInvalidError, KeyMissingError, KeyReusedError
from idempotency.models import IdempotencyKey
from tenants.models import ApiClient

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation of a key.

    ``resumed``: an earlier run may have made something with this id already.
    """

    id: UUID
    resumed: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run an operation and to write its answer."""

    id: UUID
    operation: Operation


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to a key."""

    status_code: int
    body: bytes


def parse(header: str | None) -> str:
    """Read the header, quoted (IETF draft) or bare.

    Raises:
        KeyMissingError: There is no key.
        KeyInvalidError: It is too long or has other than visible ASCII characters.
    """
    if header is None or header == "":
        raise KeyMissingError
    key = header[1:-1] if len(header) > 2 and header[0] == header[-1] == '"' else header
    if not _VISIBLE_ASCII.fullmatch(key):
        raise KeyInvalidError
    return key


def fingerprint(*, method: str, path: str, body: bytes) -> str:
    """Hash the request. The same JSON written differently hashes the same."""
    try:
        read = text_intake.read_json(body) if body else None
        meaning = json.dumps(read, sort_keys=True, separators=(",", ":")).encode() if body else b""
    except HoldfastError:  # what the view refuses; it is compared as it stands
        meaning = body
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), meaning))).hexdigest()


def claim(*, client: ApiClient, key: str, method: str, path: str, body: bytes) -> Claim | Answer:
    """Claim a key in one statement, or return its stored answer.

    A key whose run is known to have ended, with its process, is taken over at once.

    Its COMMIT does not wait for the disk (``synchronous_commit``): a claim that a crash of the server could lose is one
    of a run that has done nothing yet, since its next commit takes the claim to the disk with it.

    Raises:
        KeyInUseError: The first request is still running.
        KeyReusedError: The key was first used for another request.
    """
    mark = fingerprint(method=method, path=path, body=body)
    for _ in range(2):
        claimed = _claim(client=client, key=key, method=method, path=path, mark=mark)
        if claimed is not None:
            return claimed
        answer = _first_answer(client=client, key=key, mark=mark)
        if answer is not None:
            return answer
    raise KeyInUseError


def _claim(*, client: ApiClient, key: str, method: str, path: str, mark: str) -> Claim | None:
    claim_id, operation_id = ids.new_id(), ids.new_id()
    values: list[Any] = [client.pk, key, method, path, mark, operation_id, claim_id, _lease(), processes.own()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO idempotency_idempotencykey AS existing
                (api_client_id, key, method, path, fingerprint, operation_id, claim_id, leased_until, leased_by,
                 created_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, now() + %s, %s, now())
            ON CONFLICT (api_client_id, key) DO UPDATE
                SET claim_id = excluded.claim_id, leased_until = excluded.leased_until, leased_by = excluded.leased_by
                WHERE existing.status_code IS NULL
                  AND existing.leased_until <= now()
                  AND existing.fingerprint = excluded.fingerprint
            RETURNING operation_id, set_config('synchronous_commit', 'off', true)
            """,
            values,
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Claim(id=claim_id, operation=Operation(id=row[0], resumed=row[0] != operation_id))


def answer(*, claim: Claim, status_code: int, body: bytes) -> bool:
    """Store the first answer; False if this run has lost its claim.

    Another run then answers.
    """
    return _write(claim, "UPDATE idempotency_idempotencykey SET status_code = %s, body = %s", status_code, body)


def release(*, claim: Claim) -> bool:
    """Forget a key whose request changed nothing, so it is free again.

    An earlier run with its operation may have made something: for that, end the lease. False if this run has lost its
    claim.
    """
    return _write(claim, "DELETE FROM idempotency_idempotencykey")


def end_lease(*, claim: Claim) -> bool:
    """Allow the retry at once, from where this run stopped.

    False if this run has lost its claim.
    """
    return _write(claim, "UPDATE idempotency_idempotencykey SET leased_until = now()")


def answer_of_other(*, claim: Claim) -> Answer | None:
    """Return the taking-over run's answer; None without the key.

    Raises:
        KeyInUseError: It is still running.
    """
    row = _timed().filter(operation_id=claim.operation.id).first()
    return _answer_of(AsOf.of(row)) if row is not None else None


def free_left_behind() -> int:
    """End leases of dead processes of this machine; returns how many."""
    return leases.end_left_behind(IdempotencyKey.objects.filter(status_code=None))


def purge(*, now: datetime | None = None) -> int:
    """Delete keys past ``IDEMPOTENCY_TTL_SECONDS``; returns how many.

    A live run's key is kept. Safe when two run.
    """
    old = _list_old(now).values_list("pk", flat=True)
    return loops.batches(loops.cut(old), partial(_forget, now=now), name="purge_idempotency_keys").done


def _list_old(now: datetime | None) -> QuerySet[IdempotencyKey]:
    over = (Now() if now is None else Value(now)) - timedelta(seconds=settings.IDEMPOTENCY_TTL_SECONDS)
    is_free = Q(status_code__isnull=False) | leases.is_over()
    return IdempotencyKey.objects.filter(is_free, created_at__lt=over)


def _forget(keys: Sequence[int], *, now: datetime | None) -> int:
    return _list_old(now).filter(pk__in=keys).delete()[0]


def _first_answer(*, client: ApiClient, key: str, mark: str) -> Answer | None:
    """Return the answer of a key; None if it may be claimed after all."""
    first = _timed().filter(api_client=client, key=key).first()
    if first is None:
        return None  # released between the two statements
    if first.fingerprint != mark:
        raise KeyReusedError
    if first.status_code is None and processes.is_gone(first.leased_by):
        IdempotencyKey.objects.filter(pk=first.pk, claim_id=first.claim_id, status_code=None).update(leased_until=Now())
        return None
    return _answer_of(AsOf.of(first))


def _timed() -> QuerySet[IdempotencyKey]:
    return clocked(IdempotencyKey.objects.all())


def _answer_of(found: AsOf[IdempotencyKey]) -> Answer:
    row = found.row
    if row.status_code is None:
        raise KeyInUseError(seconds=(row.leased_until - found.at).total_seconds())
    return Answer(status_code=row.status_code, body=bytes(row.body or b""))


def _write(claim: Claim, what: str, *values: Any) -> bool:
    """Write to the key of a claim if it is still this claim's; found by its operation's id, which is indexed."""
    where = "WHERE operation_id = %s AND claim_id = %s AND status_code IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(f"{what} {where}", [*values, claim.operation.id, claim.id])
        return bool(cursor.rowcount == 1)


def _lease() -> timedelta:
    return timedelta(seconds=settings.IDEMPOTENCY_LEASE_SECONDS)
