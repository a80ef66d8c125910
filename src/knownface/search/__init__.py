"""Vector indexes: FAISS's exact flat index, and a NumPy oracle that every other one is tested against."""

from knownface.search.base import VectorIndex
from knownface.search.faiss_flat import FaissFlatIndex
from knownface.search.numpy_index import NumpyIndex

__all__ = ["FaissFlatIndex", "NumpyIndex", "VectorIndex"]
