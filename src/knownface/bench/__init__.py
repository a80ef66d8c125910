"""How fast this machine is: detection, embedding, search, and all of it together."""

from knownface.bench.result import BenchResult, Figure, Ratio, compared, read_result, result_text
from knownface.bench.run import BenchOptions, run_bench

__all__ = [
    "BenchOptions",
    "BenchResult",
    "Figure",
    "Ratio",
    "compared",
    "read_result",
    "result_text",
    "run_bench",
]
