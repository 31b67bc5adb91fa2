"""The mutants of ``make mutants``: each is made of a text that is there."""

import pytest

from tests.simulation.sabotages import MUTANTS, Mutant
from tests.support.environment import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_made_of_what_is_there(mutant: Mutant) -> None:
    assert mutant.text in (ROOT / mutant.file).read_text()
