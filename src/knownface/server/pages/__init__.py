"""The web page: drawn by the server, one file a group of pages; what it changes goes through the REST service."""
