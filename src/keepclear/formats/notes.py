"""Warnings that hold of many features, said once."""

from __future__ import annotations

from keepclear.formats.reading import Reading

__all__ = ["Notes"]


class Notes:
    """Collects sentences by what they say, and warns of each once: with its first feature and how many there are."""

    def __init__(self) -> None:
        self._features: dict[str, tuple[str, int]] = {}

    def add(self, sentence: str, feature: str) -> None:
        """Note that `sentence` holds of `feature`."""
        first, count = self._features.get(sentence, (feature, 0))
        self._features[sentence] = (first, count + 1)

    def warn(self, reading: Reading) -> None:
        """Hand what was noted to the reading, as warnings."""
        for sentence, (first, count) in self._features.items():
            more = f" and {count - 1} more" if count > 1 else ""
            reading.warn(f"{first}{more}: {sentence}")
