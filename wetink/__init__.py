"""wetink: email content that is decided when the email is opened."""

__version__ = "0.1.0"
__all__ = ["__version__"]
