"""Hypothesis claims, answers, lets go of and outlives keys, in any order; a dictionary says what must come of it."""

import json
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from idempotency import keys
from idempotency.errors import KeyInUseError, KeyReusedError
from idempotency.keys import Answer, Claim
from idempotency.models import IdempotencyKey
from tests.support.aging import end_leases
from tests.support.factories import OperatorFactory, make_client

BODIES = (b'{"a": 1, "b": 2}', b'{"b": 2, "a": 1}', b'{"a": 1}', b"")
SAME = ({0, 1}, {2}, {3})
"""Which of these bodies ask for the same."""


@dataclass
class Known:
    """What is known of a key: what it asks for, the run that has it, and its first answer."""

    meaning: set[int]
    operation: UUID
    claim: UUID
    is_leased: bool = True
    answer: Answer | None = field(default=None)


class KeyMachine(RuleBasedStateMachine):
    """Some keys of one client, used by runs that end, die, or come back too late."""

    runs = Bundle("runs")

    @initialize()
    def begin(self) -> None:
        """Forget the keys of the example before."""
        IdempotencyKey.objects.all().delete()
        self.client = make_client(OperatorFactory.create())[0]
        self.known: dict[str, Known] = {}

    @rule(target=runs, key=st.sampled_from("kl"), body=st.integers(0, 3))
    def is_claimed(self, key: str, body: int) -> object:
        """A request comes: it runs, gets the first answer, or is refused."""
        meaning = next(same for same in SAME if body in same)
        known = self.known.get(key)
        if known is not None and known.meaning != meaning:
            with pytest.raises(KeyReusedError):
                self._claim(key, body)
            return multiple()
        if known is not None and known.answer is not None:
            assert self._claim(key, body) == known.answer  # byte for byte
            return multiple()
        if known is not None and known.is_leased:
            with pytest.raises(KeyInUseError):
                self._claim(key, body)
            return multiple()
        claim = self._claim(key, body)
        assert isinstance(claim, Claim)
        assert claim.operation.resumed == (known is not None)
        if known is not None:
            assert claim.operation.id == known.operation  # it goes on from where the first stopped
        self.known[key] = Known(meaning, claim.operation.id, claim.id)
        return key, claim

    @rule(run=runs, body=st.binary(max_size=3))
    def is_answered(self, run: tuple[str, Claim], body: bytes) -> None:
        """A run ends with an answer. One that has lost its claim, or has answered, changes nothing."""
        key, claim = run
        keys.answer(claim=claim, status_code=201, body=body)
        known = self.known.get(key)
        if known is not None and known.claim == claim.id and known.answer is None:
            known.answer = Answer(status_code=201, body=body)

    @rule(run=consumes(runs))
    def is_let_go(self, run: tuple[str, Claim]) -> None:
        """A run that changed nothing lets go of its key, if it still has it."""
        key, claim = run
        keys.release(claim=claim)
        known = self.known.get(key)
        if known is not None and known.claim == claim.id and known.answer is None:
            del self.known[key]

    @rule()
    def runs_die(self) -> None:
        """Time passes: a request with a key and no answer has lost it."""
        end_leases()
        for known in self.known.values():
            known.is_leased = False

    def _claim(self, key: str, body: int) -> Claim | Answer:
        return keys.claim(client=self.client, key=key, method="POST", path="/x", body=BODIES[body])


@pytest.mark.django_db(transaction=True)
def test_keys_do_what_a_dictionary_says() -> None:
    run_state_machine_as_test(KeyMachine, settings=settings(max_examples=60, stateful_step_count=20, deadline=None))


TAKEN = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=4)
"""Texts that are taken in: a body that the view refuses is compared as it stands."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TAKEN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TAKEN, inner, max_size=3),
    max_leaves=8,
)


@given(first=JSON, second=JSON)
def test_the_same_mark_is_the_same_request(first: object, second: object) -> None:
    marks = [
        keys.fingerprint(method="POST", path="/x", body=json.dumps(value, indent=indent).encode())
        for value, indent in ((first, None), (first, 2), (second, None))
    ]
    assert marks[0] == marks[1]
    assert (marks[0] == marks[2]) == (json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True))
