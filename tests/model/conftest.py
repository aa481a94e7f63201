"""Says at the end of a run what the model has gone through, also where all went well."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            told = dict(getattr(report, "user_properties", ()))
            if "tally" in told:
                seeds = f"seeds {told['seeds'][0]} to {told['seeds'][-1]}"
                terminalreporter.write_line(f"model: {told['tally']}; {seeds}")
