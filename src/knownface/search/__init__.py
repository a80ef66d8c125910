"""Vector indexes: exact and approximate ones on FAISS, and a NumPy oracle that every other one is tested against."""

from knownface.search.base import VectorIndex, VectorSource
from knownface.search.compressed import CompressedIndex
from knownface.search.faiss_flat import FaissFlatIndex
from knownface.search.numpy_index import NumpyIndex

__all__ = ["CompressedIndex", "FaissFlatIndex", "NumpyIndex", "VectorIndex", "VectorSource"]
