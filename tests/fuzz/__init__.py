"""What every reader must withstand, for the property tests and for the coverage-guided fuzzer."""
