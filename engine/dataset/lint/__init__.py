"""What is wrong with a dataset before anybody trains on it: captions, pictures and coverage."""

from .check import lint
from .finding import Finding, Fix, Report
from .trigger import trigger_fault

__all__ = ["Finding", "Fix", "Report", "lint", "trigger_fault"]
