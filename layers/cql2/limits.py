"""How much one filter may say: enough for any question of a person or a map, too little to be a burden."""

MAX_TEXT = 20_000
"""Characters of `filter`."""
MAX_DEPTH = 32
"""Brackets within brackets, operators within operators."""
MAX_NODES = 1_000
"""Operators, properties and values in all."""
MAX_VERTICES = 2_000
"""Points of one geometry, and of all of them together."""
MAX_WILDCARDS = 16
"""Signs % and _ in one pattern."""
