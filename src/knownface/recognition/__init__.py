"""What a recogniser does, a purpose a module; :class:`knownface.FaceRecognizer` is all of it together."""
