"""The report's page as a PDF."""

from pathlib import Path

from fercore.report.front import Front


def pdf(page: str, front: Front, target: Path) -> None: ...
