"""The only writers of the register, one file per noun."""
