"""Access: sign-in, second factors, accounts, single sign-on and API tokens."""
