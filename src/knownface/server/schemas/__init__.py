"""Pydantic models of requests and responses, one file a group of routes."""
