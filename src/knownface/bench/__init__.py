"""How fast this machine is: detection, embedding, search, and all of it together."""

from knownface.bench.result import BenchResult, Figure, Ratio, compared, read_result, write_result
from knownface.bench.run import BenchOptions, run_bench

__all__ = [
    "BenchOptions",
    "BenchResult",
    "Figure",
    "Ratio",
    "compared",
    "read_result",
    "run_bench",
    "write_result",
]
