-- 009-signature: what a signature says besides who and when: the policy that it
-- names, and what its time-stamps were worth, from which nothing follows.

ALTER TABLE muhur.submission
	ADD COLUMN signature_policy	text,		-- an OID, or 'implied'
	ADD COLUMN timestamp_state	text CHECK (timestamp_state IN ('not-judged', 'good', 'bad')),
	ADD COLUMN timestamp_at		timestamptz,	-- of a good one
	ADD COLUMN timestamp_authority	text,
	ADD COLUMN timestamp_why	text;		-- of one that is not good
GRANT UPDATE (signature_policy, timestamp_state, timestamp_at, timestamp_authority, timestamp_why)
	ON muhur.submission TO muhur_load;
