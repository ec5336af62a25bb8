-- 007-certificates: why a certificate is not good, until when it is, and the
-- CRLs that tell so.

-- Who revoked it: its issuer's CRL, for good or on hold (RFC 5280 5.3.1), or
-- an operator here.  What an operator revoked, and what a CRL revoked for good,
-- stays revoked; what was on hold may be released.
ALTER TABLE muhur.certificate
	ADD COLUMN revocation text CHECK (revocation IN ('crl', 'hold', 'local')),
	ADD COLUMN state_since timestamptz,	-- NULL: since it was enrolled
	-- replaced or to be withdrawn: good before that moment, withdrawn from it on
	ADD COLUMN good_until timestamptz;
ALTER TABLE muhur.certificate
	ADD CHECK (revocation IS NULL OR state = 'revoked');
GRANT UPDATE (state, revocation, state_since, good_until) ON muhur.certificate TO muhur_admin;

-- The state at a moment: a document's is that of its receipt.  A revoked one is
-- revoked whenever it is asked.
CREATE FUNCTION muhur.certificate_state(state text, good_until timestamptz, at timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN state = 'good' AND good_until <= at THEN 'withdrawn' ELSE state END;
REVOKE ALL ON FUNCTION muhur.certificate_state(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.certificate_state(text, timestamptz, timestamptz)
	TO muhur_load, muhur_directory, muhur_admin;

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
