"""The suites: a row each."""

from evals.suite import Suite
from evals.suites.escalation import EscalationSuite
from evals.suites.reply import ReplySuite
from evals.suites.robustness import RobustnessSuite
from evals.suites.sentiment import SentimentSuite

SUITES: tuple[Suite, ...] = (
    SentimentSuite(),
    ReplySuite(),
    EscalationSuite(),
    RobustnessSuite(),
)
