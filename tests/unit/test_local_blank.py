"""A blank installation is put back whole, and never after what made it has changed."""

import pytest

from settlement.local import blank


@pytest.fixture
def local(tmp_path):
    for name in ("postgres", "airflow", "dbt"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("blank")
    for name in ("secrets.json", "installation.json"):
        (tmp_path / name).write_text("blank")
    blank.keep(tmp_path)
    (tmp_path / "postgres" / "file").write_text("used")
    (tmp_path / "inbox").mkdir()
    return tmp_path


def test_what_was_used_is_replaced_and_what_came_later_is_gone(local):
    assert blank.restore(local)
    assert (local / "postgres" / "file").read_text() == "blank"
    assert sorted(path.name for path in local.iterdir()) == sorted(["blank", *blank.KEPT])


def test_one_that_other_migrations_made_is_thrown_away(local, monkeypatch, tmp_path_factory):
    monkeypatch.setattr(blank, "migrations_folder", lambda: tmp_path_factory.mktemp("migrations"))
    assert not blank.restore(local)
    assert list(local.iterdir()) == []


def test_a_copy_that_was_interrupted_does_not_count(local):
    (local / "blank").rename(local / "blank.draft")
    assert not blank.restore(local)
    assert list(local.iterdir()) == []
