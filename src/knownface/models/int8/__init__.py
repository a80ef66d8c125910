"""Networks in 8-bit whole numbers, where nothing that decides is lost and the processor is quicker at them."""

from knownface.models.int8.network import in_int8
from knownface.models.int8.processor import quick_at_int8
from knownface.models.int8.ranges import Ranges, read_ranges, write_ranges

__all__ = ["Ranges", "in_int8", "quick_at_int8", "read_ranges", "write_ranges"]
