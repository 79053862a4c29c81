"""What cannot be proposed, signed or said of agreements: told with the field that is wrong, and nothing half signed."""

from __future__ import annotations

import json

import pytest

from keepclear.client.problems import RefusedError
from keepclear.node.roles import Role
from keepclear.record.entry_types import EntryType
from keepclear.values.agreements import AgreementProposalAsked, SignatureAsked
from tests.pair_served import pair_served, wait_for
from tests.unit.node.agreements_made import (
    AGREEMENT,
    APART,
    document,
    members,
    people,
    sign,
    wait_until_proposed,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def proposed(tmp_path_factory):
    """Two nodes, a proposal that both have, and people of the first."""
    with pair_served(tmp_path_factory.mktemp("refused")) as (ru, tr):
        made = document()
        ours = people(ru, "anna", "boris")
        ours[0].propose_agreement(AgreementProposalAsked(document=members(made)))
        wait_until_proposed(ru, tr)
        yield ru, tr, ours, made


def refused(status, ask):
    with pytest.raises(RefusedError) as found:
        ask()
    assert found.value.status == status, found.value
    return found.value.faults


def said(place, kind):
    return [one for one in place.client.entries() if one.type == kind]


def changed(made, **more):
    found = members(made)
    return found | more


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"parties": ["RU", "XX"]}, "document.parties"),
        ({"parties": ["TR", "XX"]}, "document.parties"),
        ({"terms": [{"id": "depth"}]}, "document.clause"),
        ({"texts": []}, "document"),
        ({"agreement": "Not A Name"}, "document"),
        ({"more": 1}, "document.'more'"),
        ({"title": 7}, "document.title"),
        ({"annexes": [{"name": "x", "media_type": "text/plain", "data": "not base64!"}]}, "document.annexes[0].data"),
    ],
)
def test_what_is_no_document_is_refused_with_its_field(proposed, change, field):
    ru, _, ours, made = proposed
    asked = AgreementProposalAsked(document=changed(made, **change))
    faults = refused(422, lambda: ours[0].propose_agreement(asked))
    assert any(fault.field.startswith(field) for fault in faults), faults
    assert len(said(ru, EntryType.AGREEMENT_PROPOSED)) == 1


@pytest.mark.parametrize(
    ("line", "value"),
    [("max", "10 kmh"), ("max", "10"), ("line", "border.geojson#nowhere"), ("from", "2019-02-30T00:00:00Z"),
     ("until", "11:00"), ("kinds", ["holiday"])],
)  # fmt: skip
def test_terms_that_are_wrong_are_refused_with_the_term_and_its_member(proposed, line, value):
    _, _, ours, made = proposed
    given = members(made)
    given["terms"] = [given["terms"][0] | {line: value}]
    faults = refused(422, lambda: ours[0].propose_agreement(AgreementProposalAsked(document=given)))
    assert [(fault.feature, line in fault.field) for fault in faults] == [("depth", True)]


def test_crossed_corridors_are_refused(proposed):
    _, _, ours, made = proposed
    given = members(made)
    annex = json.loads(json.dumps({"type": "FeatureCollection", "features": [{
        "type": "Feature", "id": "axis", "properties": {},
        "geometry": {"type": "LineString", "coordinates": [[40.0, 37.0], [41.0, 37.0], [41.0, 37.5], [40.5, 36.5]]},
    }]}))  # fmt: skip
    import base64

    data = base64.b64encode(json.dumps(annex).encode()).decode()
    given["annexes"] = [{"name": "axis.geojson", "media_type": "application/geo+json", "data": data}]
    term = {"id": "road", "type": "CORRIDOR", "clause": "c5", "axis": "axis.geojson#axis", "width": "6 km"}
    given["terms"] = [term | {"clause_hash": given["terms"][0]["clause_hash"]}]
    faults = refused(422, lambda: ours[0].propose_agreement(AgreementProposalAsked(document=given)))
    assert {fault.feature for fault in faults} == {"road"}
    assert any("width" in fault.field for fault in faults)


def test_a_thousand_pages_are_proposed_and_signed_as_any_other_text(proposed):
    ru, tr, ours, _ = proposed
    given = members(document("long"))
    given["agreement"] = "long"
    page = "The parties keep out of each other's way, as long as they can, and say so. " * 40 + "\n\n"
    given["texts"][0]["text"] += "\n## 8. Annex {#c8}\n" + page * 1000
    assert len(json.dumps(given)) > 2_500_000
    ours[0].propose_agreement(AgreementProposalAsked(document=given))
    told = wait_for(lambda: [one for one in tr.client.agreements() if one.id == "long"])
    assert told[0].versions[0].problem == ""
    assert (
        len(tr.client.agreement_version("long", told[0].versions[0].document).content["texts"][0]["text"]) > 2_500_000
    )
    assert ru.client.agreement("long").state == "proposed"


def test_what_is_longer_than_a_document_may_be_is_refused(proposed):
    _, _, ours, made = proposed
    given = members(made)
    given["texts"][0]["text"] += "x" * (17 * 2**20)
    faults = refused(422, lambda: ours[0].propose_agreement(AgreementProposalAsked(document=given)))
    assert "more than" in faults[0].problem


def test_who_has_not_the_role_signs_nothing(proposed):
    ru, _, _, made = proposed
    (officer,) = people(ru, "otto", role=Role.DUTY_OFFICER)
    asked = SignatureAsked(document=made.hash)
    refused(403, lambda: officer.sign_agreement(AGREEMENT, asked))
    token = ru.with_scopes("paula", "read", role=Role.PARTY_AUTHORITY)
    refused(403, lambda: token.sign_agreement(AGREEMENT, asked))
    refused(403, lambda: ru.client.sign_agreement(AGREEMENT, asked))  # the folder is nobody
    assert list(ru.client.proposals()) == []
    assert said(ru, EntryType.AGREEMENT_SIGNED) == []


def test_another_text_or_document_is_not_signed(proposed):
    ru, _, ours, made = proposed
    wrong = SignatureAsked(document=made.hash, text="0" * 64)
    assert refused(422, lambda: ours[0].sign_agreement(AGREEMENT, wrong))[0].field == "text"
    unknown = SignatureAsked(document="0" * 64)
    assert refused(404, lambda: ours[0].sign_agreement(AGREEMENT, unknown))[0].field == "document"
    right = SignatureAsked(document=made.hash)
    refused(404, lambda: ours[0].sign_agreement("nothing-of-that-name", right))
    assert list(ru.client.proposals()) == []


def test_one_person_signs_nothing_and_what_was_refused_is_not_signed(proposed):
    ru, _, ours, made = proposed
    told = ours[0].sign_agreement(AGREEMENT, SignatureAsked(document=made.hash))
    refused(403, lambda: ours[0].confirm(told.proposal.id))
    assert ours[1].refuse(told.proposal.id).state == "refused"
    refused(409, lambda: ours[1].confirm(told.proposal.id))
    assert said(ru, EntryType.AGREEMENT_SIGNED) == []
    assert ru.client.agreement(AGREEMENT).missing == ["RU", "TR"]


def test_a_signature_of_one_version_is_none_of_another(proposed):
    ru, tr, ours, made = proposed
    theirs = people(tr, "cem", "derya")
    newer = document("2", more=APART)
    first = ru.client.agreement(AGREEMENT).versions[0].entry
    theirs[0].counter_agreement(AGREEMENT, AgreementProposalAsked(document=members(newer), counters=first))
    wait_for(lambda: len(ru.client.agreement(AGREEMENT).versions) == 2)
    refused(409, lambda: theirs[0].counter_agreement(
        AGREEMENT, AgreementProposalAsked(document=members(newer), counters=first)))  # fmt: skip
    refused(422, lambda: theirs[0].counter_agreement(AGREEMENT, AgreementProposalAsked(document=members(newer))))
    # The entry of RU's signature of the first version, given again as one of the second: other bytes, another leaf.
    sign(*ours, made)
    wait_for(lambda: "RU" in tr.client.agreement(AGREEMENT).versions[1].signed_by)
    told = tr.client.agreement(AGREEMENT)
    assert {one.document: one.signed_by for one in told.versions} == {newer.hash: [], made.hash: ["RU"]}
    refused(409, lambda: ours[0].sign_agreement(AGREEMENT, SignatureAsked(document=made.hash)))
    assert told.document == ""
