"""Access: who may do what. Roles and the permissions of routes, accounts, invitations, API tokens and the audit log."""
