"""Tests of keepclear."""
