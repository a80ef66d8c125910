"""The names of this package, read by type checkers and by `__init__.py`."""

from .base import VectorIndex as VectorIndex
from .base import VectorSource as VectorSource
from .compressed import CompressedIndex as CompressedIndex
from .faiss_flat import FaissFlatIndex as FaissFlatIndex
from .numpy_index import NumpyIndex as NumpyIndex
