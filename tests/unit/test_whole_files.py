"""Files that several processes write at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from upath import UPath

from settlement.whole_files import write_whole


def test_many_writers_of_one_file_leave_it_whole_and_nothing_beside_it(tmp_path):
    path = UPath(tmp_path / "payments" / "file.xml")
    content = b"<Document/>" * 50_000
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write_whole(path, content), range(64)))
    assert path.read_bytes() == content
    assert [child.name for child in (tmp_path / "payments").iterdir()] == ["file.xml"]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "file.xml").mkdir()
    with pytest.raises(OSError, match=r"file\.xml"):
        write_whole(UPath(tmp_path / "file.xml"), b"<Document/>")
    assert [child.name for child in tmp_path.iterdir()] == ["file.xml"]
