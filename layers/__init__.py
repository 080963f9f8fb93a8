"""What is published, and the SQL that reads it. No HTTP."""
