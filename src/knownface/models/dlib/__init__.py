"""dlib's file of its face recognition network: read without dlib, and written as an ONNX network."""

from knownface.models.dlib.graph import converted, dlib_as_onnx

__all__ = ["converted", "dlib_as_onnx"]
