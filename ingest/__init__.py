"""Files in, checked proposals out. No HTTP."""
