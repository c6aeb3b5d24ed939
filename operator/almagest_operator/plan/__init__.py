"""What may be done now, and what it waits for: pure functions of what is wanted and what was seen."""

from almagest_operator.plan.outcome import GONE, SETTLED, Outcome
from almagest_operator.plan.retention import owners
from almagest_operator.plan.stages import Step, plan, rest
from almagest_operator.plan.waiting import Waiting

__all__ = ["GONE", "SETTLED", "Outcome", "Step", "Waiting", "owners", "plan", "rest"]
