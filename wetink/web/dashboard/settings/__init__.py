"""Settings: signals and addresses, the audit log, and the status of the server."""
