"""knownface puts names to faces.

>>> from knownface import FaceRecognizer
>>> recognizer = FaceRecognizer.open("people.db")        # doctest: +SKIP
>>> recognizer.load_known_faces("PEOPLE/")               # doctest: +SKIP
>>> [found.name for found in recognizer.identify("party.jpg")]   # doctest: +SKIP
['Ada', None]

The public names are listed in ``__init__.pyi``, for type checkers and for this file alike. They are imported when
they are first used, so that ``import knownface`` costs next to nothing.
"""

import logging

import lazy_loader

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
