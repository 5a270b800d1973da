"""Runs the command ``doctor``: it says what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import typer

from cli.arguments import UpstreamFlag
from settings import WrongSetting, read_settings

if TYPE_CHECKING:
    from cli.doctor_checks import CheckFinding


def doctor(upstream: UpstreamFlag = None) -> None:
    """Say what is wrong with this installation. The exit status is 1 for warnings and 2 for errors."""
    from cli.doctor_checks import Severity

    findings = _findings(upstream)
    for finding in findings:
        remedy = f" {finding.remedy}" if finding.remedy else ""
        typer.echo(f"{finding.severity.name.lower():<8} {finding.sentence}{remedy}")
    numbers = Counter(finding.severity for finding in findings)
    typer.echo(f"Errors: {numbers[Severity.ERROR]}. Warnings: {numbers[Severity.WARNING]}.")
    raise typer.Exit(max(finding.severity for finding in findings))


def _findings(upstream: str | None) -> list[CheckFinding]:
    from cli import doctor_checks as checks

    findings = list(checks.check_versions())
    try:
        settings = read_settings(upstream=upstream)
    except WrongSetting as error:
        # Nothing else can be checked without the settings.
        remedy = "README.md lists the settings."
        return [*findings, checks.CheckFinding(checks.Severity.ERROR, str(error), remedy)]
    findings += checks.check_settings(settings)
    findings += asyncio.run(checks.check_upstream(settings))
    findings += checks.check_storage(settings)
    findings += checks.check_pages(settings)
    return findings
