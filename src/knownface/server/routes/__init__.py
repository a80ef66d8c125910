"""The routes of ``/v1``, one file a group, and the WebSockets; a file with a ``router`` is found by itself."""
