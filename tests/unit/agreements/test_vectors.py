"""Documents made without our code have the hashes that ours gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.agreements.documents import Document

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "agreements" / "documents.json").read_text(encoding="utf-8")
)["documents"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["what"])
def test_a_document_is_what_the_vector_says(vector):
    made = Document.of_bytes(vector["document"].encode())
    assert made.canonical().decode() == vector["document"]
    assert made.hash == vector["document_hash"]
    assert made.text_hash == vector["text_hash"]
    assert {anchor: made.clause_hash(anchor) for anchor in vector["clause_hashes"]} == vector["clause_hashes"]
