-- The public keys, for whoever verifies a signed record.

DROP VIEW IF EXISTS published.signing_keys;

CREATE VIEW published.signing_keys AS
SELECT kid, x, made_at, retired_at FROM register.signing_key;
COMMENT ON VIEW published.signing_keys IS 'Public keys of signed records, retired ones too.';
