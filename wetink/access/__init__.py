"""Access: use cases of the team: signing in, invitations, passwords, API tokens."""
