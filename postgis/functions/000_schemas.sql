-- Files named 0xx hold what tables need before they exist; the others what needs the tables. All of them are applied,
-- in the order of their names, at every upgrade: each must be safe to repeat.

CREATE SCHEMA IF NOT EXISTS register;
CREATE SCHEMA IF NOT EXISTS account;
CREATE SCHEMA IF NOT EXISTS published;

COMMENT ON SCHEMA register IS 'The tables of the register: no anonymous access.';
COMMENT ON SCHEMA account IS 'Staff, sessions and tokens: no anonymous access.';
COMMENT ON SCHEMA published IS 'Views with only publishable columns and rows: all that anonymous requests can read.';
