"""For operators: alive, ready, figures."""
