"""Routes, by who walks in."""
