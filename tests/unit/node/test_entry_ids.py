import pytest

from keepclear.errors import InputError
from keepclear.node.entry_ids import EntryId
from keepclear.record.entries import EntryRef


@pytest.mark.parametrize(
    ("text", "origin", "index"),
    [
        ("RU:north-east:0", "RU/north-east/log", 0),
        ("RU:north-east:17", "RU/north-east/log", 17),
        ("RU:north-east:2:17", "RU/north-east/log/2", 17),
        ("a:b:999999:9007199254740991", "a/b/log/999999", 2**53 - 1),
    ],
)
def test_an_id_is_read_and_written_the_same(text, origin, index):
    read = EntryId.parse(text)
    assert (read.origin, read.index) == (origin, index)
    assert str(read) == text
    assert EntryId.of(EntryRef(origin, index, bytes(32))) == read


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "::", "RU", "RU:north", "RU:north:", "RU:north:-1", "RU:north:+1", "RU:north: 1", "RU:north:01",
        "RU:north:1.0", "RU:north:1:17", "RU:north:0:17", "RU:north:1000000:1", "RU:north:9007199254740992",
        "RU:north:2:3:4", "RU:no rth:1", "R/U:north:1", "../x:north:1", "RU:north:١", "RU:north:1\n", "RU:north:²",
        "RU:north:99999999999999999999999999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_id_is_refused_and_named(text):
    with pytest.raises(InputError) as caught:
        EntryId.parse(text, field="about[0]")
    assert caught.value.faults[0].field == "about[0]"
    assert "PARTY:LINE:INDEX" in caught.value.faults[0].right
