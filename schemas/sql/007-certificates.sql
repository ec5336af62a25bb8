-- 007-certificates: why a certificate is not good, and the CRLs that tell so.

-- Who revoked it: its issuer's CRL, for good or on hold (RFC 5280 5.3.1), or
-- an operator here.  What an operator revoked, and what a CRL revoked for good,
-- stays revoked; what was on hold may be released.
ALTER TABLE muhur.certificate
	ADD COLUMN revocation text CHECK (revocation IN ('crl', 'hold', 'local')),
	ADD COLUMN state_since timestamptz;	-- NULL: since it was enrolled
ALTER TABLE muhur.certificate
	ADD CHECK (revocation IS NULL OR state = 'revoked');
GRANT UPDATE (state, revocation, state_since) ON muhur.certificate TO muhur_admin;

-- Content-addressed: every CRL that ever was in force.
CREATE TABLE muhur.crl (
	sha256		text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),	-- of the DER
	issuer		text NOT NULL,
	number		text,			-- CRLNumber (RFC 5280 5.2.3); NULL none
	delta		boolean NOT NULL,
	this_update	timestamptz NOT NULL,
	next_update	timestamptz NOT NULL,
	der		bytea NOT NULL,
	kept_at		timestamptz NOT NULL
);
GRANT SELECT, INSERT ON muhur.crl TO muhur_admin;
