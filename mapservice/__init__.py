"""The service: parse, call, respond. No SQL, no geometry maths."""
