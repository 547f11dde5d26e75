"""How a stage's parameters and the warehouse's address reach dbt."""

from settlement.warehouse import dbt


def test_encryption_of_an_outside_server_reaches_libpq(monkeypatch, tmp_path):
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(tmp_path))
    monkeypatch.setenv("SETTLEMENT_TRANSFORMER_DSN", "postgresql://transformer:x@db/warehouse?sslmode=verify-full")
    environment = dbt.environment({"pay_date": "2026-03-02"})
    assert environment["PGSSLMODE"] == "verify-full"
    assert (environment["DBT_HOST"], environment["DBT_PORT"]) == ("db", "5432")


def test_run_parameters_are_session_settings_and_no_dbt_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(tmp_path))
    monkeypatch.setenv("SETTLEMENT_TRANSFORMER_DSN", "postgresql://transformer:x@db/warehouse")
    options = dbt.environment({"pay_date": "2026-03-02", "area_code": ""})["PGOPTIONS"]
    assert "-c settlement.pay_date=2026-03-02" in options
    assert "-c settlement.area_code=" in options
