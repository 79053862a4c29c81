from tests.unit.agreements.terms.made_terms import T0, heard, only, record, ref, results, term, value

SAMPLE = {"category": ["targets", "intelligence"]}


def test_each_refusal_is_pointed_at_and_no_refusal_shows_nothing():
    limits = term("NO_SHARING", **SAMPLE)
    assert results(limits) == ["no data"]
    entry = ref("ru")
    finding = only(limits, view=record(heard("refused", "tr", T0, entry=value(entry), guard="NO_SHARING")))
    assert (finding.result, finding.party, finding.about) == ("possible", "ru", entry)
    assert "its content was not kept" in finding.sentence
    other = heard("refused", "tr", T0, entry=value(entry), guard="HAZARD_EXTENT")
    assert results(limits, view=record(other)) == ["no data"]
