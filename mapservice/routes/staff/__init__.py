"""For staff: signing in, accounts, and the screens of the register."""
