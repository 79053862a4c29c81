"""The Earth: WGS84 maths on arrays, heights and datums, grid references, rings."""
