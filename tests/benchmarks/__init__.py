"""Measurements, beside a floor that nothing can be faster than: python -m tests.benchmarks."""
