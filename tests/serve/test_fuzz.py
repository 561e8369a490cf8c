"""The short version of `benchmarks/fuzz.py`."""

from __future__ import annotations

from benchmarks.fuzz import fault, fuzzed_client, mutated, sound_files


def test_no_mutated_image_crashes_reader_or_server() -> None:
    files = sound_files()
    outcomes = set()
    with fuzzed_client() as client:
        for seed in range(150):
            kind, data = mutated(files, seed)
            became, wrong = fault(client, data, seconds=60)
            assert wrong is None, f"seed {seed}, {kind}: {wrong}"
            outcomes.add(became)
    assert outcomes == {"read", "refused"}
