from tests.unit.agreements.terms.made_terms import DAY, HASH, T0, heard, record, results, term

SAMPLE = {"name": "joint working group"}


def test_that_it_exists_cannot_be_checked():
    assert results(term("LIAISON_BODY", **SAMPLE)) == ["no data"]


def test_that_it_meets_can():
    meets = term("LIAISON_BODY", name="working group", meets="30 d", start="2019-11-01T09:00:00Z", parties=["tr"])
    gave = heard("deliverable", "tr", T0 + 29 * DAY, agreement="sochi", document=HASH, term="T1", what="met")
    assert results(meets, view=record(gave), at_s=T0 + 61 * DAY) == ["met", "breached", "not yet"]
