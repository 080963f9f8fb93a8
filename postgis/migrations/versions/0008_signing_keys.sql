CREATE TABLE register.signing_key (
    kid TEXT NOT NULL,
    x TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_signing_key PRIMARY KEY (kid),
    CONSTRAINT ck_signing_key_x CHECK (x ~ '^[A-Za-z0-9_-]{43}$'),
    CONSTRAINT ck_signing_key_in_order CHECK (retired_at >= made_at)
);
COMMENT ON TABLE register.signing_key IS 'Ed25519 keys for signed records. Rows are never deleted: what was signed stays to be verified. The private halves are files of the data directory.';
COMMENT ON COLUMN register.signing_key.kid IS 'thumbprint of the key (RFC 7638)';
COMMENT ON COLUMN register.signing_key.x IS 'the public key, base64url (RFC 8037, 2)';
COMMENT ON COLUMN register.signing_key.retired_at IS 'null: in use';
