-- R00, faulty: where R5's parts put the single lines they find fault with, for
-- R05-written.sql to make breaks of.  No rule by itself.

CREATE TEMPORARY TABLE faulty (
	kind		text NOT NULL,
	rule_source	text NOT NULL,
	member_code	text NOT NULL,		-- whose line it is
	key		text NOT NULL,		-- of the break; lines of one key are one break
	platform	text,
	custodian	text,
	asset		text,
	platform_quantity numeric,		-- of the line; a break has the sum
	custodian_quantity numeric,
	said		text NOT NULL,		-- by the break, before its lines; the same for all of them
	submission	bigint NOT NULL,
	record_no	bigint NOT NULL
) ON COMMIT DROP;
