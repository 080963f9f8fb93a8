"""How the project's reference files are made from the collected public data, one subject a module."""
