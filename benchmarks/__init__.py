"""Benchmarks of the server against its peers; `make bench` runs them."""
