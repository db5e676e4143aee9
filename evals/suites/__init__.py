"""The suites: a row each."""

from evals.suite import Suite
from evals.suites.escalation import DecisionSuite, EscalationSuite
from evals.suites.injection import InjectionSuite
from evals.suites.reply import ReplySuite
from evals.suites.robustness import RobustnessSuite
from evals.suites.sentiment import SentimentSuite
from evals.suites.signals import SignalsSuite

SUITES: tuple[Suite, ...] = (
    SentimentSuite(),
    ReplySuite(),
    DecisionSuite(),
    EscalationSuite(),
    InjectionSuite(),
    SignalsSuite(),
    RobustnessSuite(),
)
