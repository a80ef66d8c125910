"""Alembic's revisions of the schema, run by :mod:`knownface.storage.migrate`."""
