"""Scenarios played again: who said and did what when, by real nodes, on a clock that is stepped."""
