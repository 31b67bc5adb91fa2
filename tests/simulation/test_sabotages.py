"""The mutants of ``make mutants``: each is made at one place, which is there once."""

from dataclasses import replace

import pytest

from tests.simulation.mutation import Mutant, UnfitMutantError
from tests.simulation.sabotages import MUTANTS
from tests.support.environment import ROOT

SOURCE = """
LIMIT = 5


def one(left):
    return left > LIMIT  # left > LIMIT


class Two:
    @property
    def one(self):
        if self.left > LIMIT:
            return self.left > LIMIT
        return self.left == LIMIT


def three(left): return left


def three(left): return left
"""
SOUND = Mutant(
    name="sound", file="x.py", place="Two.one", text="self.left == LIMIT", sabotage="True", suite="tests/x.py"
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_made_at_one_place(mutant: Mutant) -> None:
    mutant.mutate((ROOT / mutant.file).read_text())
    assert all((ROOT / path).exists() for path in mutant.suite.split()), mutant.suite


def test_names_are_told_apart() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


class TestMutate:
    def test_replaces_inside_its_place_only(self) -> None:
        assert SOUND.mutate(SOURCE) == SOURCE.replace("self.left == LIMIT", "True")
        constant = replace(SOUND, place="LIMIT", text="5", sabotage="6")
        assert constant.mutate(SOURCE) == SOURCE.replace("= 5", "= 6")
        decorator = replace(SOUND, text="    @property\n", sabotage="")
        assert decorator.mutate(SOURCE) == SOURCE.replace("    @property\n", "")

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"text": "self.left > LIMIT"}, "its text stands 2 times in Two.one of x.py"),
            ({"text": "return left"}, "its text stands 0 times in Two.one of x.py"),
            ({"place": "Two.two"}, "x.py has Two.two 0 times"),
            ({"place": "three", "text": "return left"}, "x.py has three 2 times"),
            ({"sabotage": "(("}, "it cannot be run"),
            ({"sabotage": "self.left  == LIMIT"}, "it changes nothing"),
        ],
    )
    def test_refuses_what_does_not_fit(self, changed: dict[str, str], why: str) -> None:
        with pytest.raises(UnfitMutantError, match=f"sound: {why}"):
            replace(SOUND, **changed).mutate(SOURCE)
