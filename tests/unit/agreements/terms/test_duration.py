import pytest

from keepclear.errors import InputError
from keepclear.times import parse_time
from tests.unit.agreements.terms.made_terms import DAY, results, term

SAMPLE = {"months": "6 months", "start": "2019-08-31T12:00:00Z"}
END = parse_time("2020-02-29T12:00:00Z")


def test_it_ends_on_the_last_day_of_a_shorter_month():
    runs = term("DURATION", **SAMPLE)
    assert runs.ends_s(0.0) == END
    assert term("DURATION", months="1 year").ends_s(END) == parse_time("2021-02-28T12:00:00Z")
    assert results(runs, at_s=END - DAY) == ["not yet"]
    assert results(runs, at_s=END) == ["no data"]


def test_what_renews_itself_has_no_end():
    runs = term("DURATION", months="6 months", renewal="automatic")
    assert runs.ends_s(0.0) is None
    assert results(runs) == ["not yet"]
    assert results(term("DURATION", months="6 months")) == ["no data"]


@pytest.mark.parametrize("months", ["6", 6, "0 months", "half a year", "6 d"])
def test_bad_months(months):
    with pytest.raises(InputError, match="months"):
        term("DURATION", months=months)
