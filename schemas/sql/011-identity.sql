-- 011-identity: who the investors are, apart from what they have.

CREATE SCHEMA muhur_identity;

-- RegistrationRequests [sicil talebi] as they came.
CREATE TABLE muhur_identity.request (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	identity_type	text NOT NULL,		-- TCKN, VKN, FOREIGN
	identity_no	text NOT NULL,
	country		text,			-- of FOREIGN
	name		text NOT NULL,
	birth_date	date,
	registry_no	text,			-- the registry's own requests alone
	PRIMARY KEY (submission, record_no)
);
GRANT USAGE ON SCHEMA muhur_identity TO muhur_load;
GRANT INSERT ON muhur_identity.request TO muhur_load;

-- Every registry number [sicil] that was given, and from when on.
CREATE TABLE muhur.registry_number (
	registry_no	text PRIMARY KEY,
	known_from	date NOT NULL
);
GRANT SELECT ON muhur.registry_number TO muhur_load, muhur_reconcile, muhur_admin;
