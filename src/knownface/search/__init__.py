"""Vector indexes: exact and approximate ones on FAISS, and a NumPy oracle that every other one is tested against.

They are imported when they are first used: FAISS takes a twentieth of a second.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
