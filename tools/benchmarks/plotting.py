"""Pictures of what the clients saw: how much was done in a second, and how long an answer took."""

from pathlib import Path

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from tools.benchmarks.climbing import CLIENTS, LOADS, named
from tools.benchmarks.reporting import Found
from tools.benchmarks.stack import ROOT
from tools.benchmarks.workloads import HOT, RESERVE

PICTURES = ROOT / "docs" / "images"
_FIGURES = ("p50", "p95", "p99")


def draw(found: Found) -> list[Path]:
    """Draw both pictures, and return where they are."""
    pyplot.rcParams.update({"svg.hashsalt": "holdfast", "font.size": 10, "axes.grid": True, "grid.alpha": 0.3})
    return [_throughput(found), _waiting(found)]


def _throughput(found: Found) -> Path:
    figure, axes = pyplot.subplots(figsize=(10, 4.5))
    for load in LOADS:
        axes.plot(CLIENTS, [found.median(named(load, clients), "rate") for clients in CLIENTS], marker="o", label=load)
    axes.set_yscale("log")
    axes.set_ylabel("answers a second")
    return _save(figure, [axes], "throughput.svg")


def _waiting(found: Found) -> Path:
    figure, both = pyplot.subplots(1, 2, figsize=(10, 4.5), sharey=True)
    for axes, load in zip(both, (RESERVE, HOT), strict=True):
        for name in _FIGURES:
            axes.plot(
                CLIENTS, [found.median(named(load, clients), name) for clients in CLIENTS], marker="o", label=name
            )
        axes.set_title(load, y=1.08)
        axes.set_yscale("log")
    both[0].set_ylabel("milliseconds")
    return _save(figure, list(both), "latency.svg")


def _save(figure: Figure, all_axes: list[Axes], name: str) -> Path:
    for axes in all_axes:
        axes.set_xscale("log", base=2)
        axes.set_xticks(CLIENTS, [str(clients) for clients in CLIENTS])
        axes.set_xlabel("clients")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    path = PICTURES / name
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    return path
