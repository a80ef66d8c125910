"""The service: REST, keys and their roles, the audit log, webhooks. No logic of its own beyond HTTP."""
