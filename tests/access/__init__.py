"""Second factors, passkeys and single sign-on."""
