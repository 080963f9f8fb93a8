"""Benchmarks: `make bench`. Ratios within one run, never times to compare between machines."""
