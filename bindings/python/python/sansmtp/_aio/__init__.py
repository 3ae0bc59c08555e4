"""What :mod:`sansmtp.aio` is made of."""
