"""What is live in a running service: cameras of browsers, watched sources, the faces in front of them, and events."""
