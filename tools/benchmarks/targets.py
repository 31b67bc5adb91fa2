"""What a load is to come to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A load by its name, what it is measured beside, and what it is to come to."""

    name: str
    beside: str = ""
    """The load that it is measured beside."""
    least: float | None = None
    most: float | None = None
    """The part of the other's figure that its own is to be."""
    figure: str = "rate"
    """Which of them."""
    rate: float = 0
    """The least that a second must bring."""

    @property
    def wanted(self) -> str:
        """Say what it is to come to."""
        texts = [f"≥ {self.least:.2f}" if self.least is not None else "", f"≤ {self.most:.2f}" if self.most else ""]
        texts.append(f"≥ {self.rate:,.0f}/s" if self.rate else "")
        return ", ".join(text for text in texts if text)

    def is_met(self, part: float, rate: float) -> bool:
        """Tell whether its part of the other's figure, and its rate, are what they are to be."""
        return (self.least is None or part >= self.least) and (self.most or part) >= part and rate >= self.rate
