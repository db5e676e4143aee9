"""The suites: a row each."""

from evals.suite import Suite
from evals.suites.sentiment import SentimentSuite

SUITES: tuple[Suite, ...] = (SentimentSuite(),)
