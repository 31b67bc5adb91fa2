"""The product's settings, served beside a floor and a rival."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tools.benchmarks.urls"
