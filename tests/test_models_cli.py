import json

import pytest
import typer
from typer.testing import CliRunner

from fercore.cli.models import models
from fercore.models import REPORTED, ModelError

app = typer.Typer()
app.command()(models)
KEYS = {
    "name",
    "family",
    "report",
    "question",
    "params_trainable",
    "params_keras_total",
    "reported_params",
    "convention",
    "macs",
    "exact",
}


def test_json() -> None:
    result = CliRunner().invoke(app, ["--json"])
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows] == list(REPORTED)
    assert all(set(row) >= KEYS for row in rows)


def test_one_family() -> None:
    rows = json.loads(CliRunner().invoke(app, ["--json", "--family", "mobilenet"]).stdout)
    assert {row["family"] for row in rows} == {"mobilenet"}
    assert len(rows) == 7


def test_members_near_budgets() -> None:
    asked = ["--json", "--budget", "30000", "--budget", "200000"]
    rows = json.loads(CliRunner().invoke(app, asked).stdout)
    assert [row["family"] for row in rows] == ["mobilenet", "cnn", "mobilenet", "cnn"]
    assert rows[0]["params_trainable"] == pytest.approx(30_000, rel=0.02)


def test_table_holds_in_80_columns() -> None:
    text = CliRunner().invoke(app, []).stdout
    assert "1,332,807" in text
    assert "b-mobilenet-158k" in text
    assert "…" not in text
    members = CliRunner().invoke(app, ["--budget", "4000000"]).stdout
    assert "…" not in members
    assert "reported" not in members.splitlines()[1]


def test_unknown_family_is_the_users_error() -> None:
    result = CliRunner().invoke(app, ["--family", "resnet"])
    assert isinstance(result.exception, ModelError)
    assert "expected mobilenet or cnn, found 'resnet'" in str(result.exception)
