-- 003-reconcile: runs, their inputs, what they found.

-- The queue: one row a business day waits at most; FOR UPDATE SKIP LOCKED.
CREATE TABLE muhur.reconcile_job (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	business_date	date NOT NULL,
	not_before	timestamptz NOT NULL,	-- gateway's clock
	cause		text NOT NULL CHECK (cause IN ('complete', 'cut-off', 'correction', 'operator')),
	UNIQUE (business_date)
);

CREATE TABLE muhur.reconcile_run (
	no		bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	business_date	date NOT NULL,
	version		integer NOT NULL,	-- 1.. a day; older ones stay readable
	cause		text NOT NULL,
	started_at	timestamptz NOT NULL,
	pairs		bigint NOT NULL DEFAULT 0,
	breaks		bigint NOT NULL DEFAULT 0,
	UNIQUE (business_date, version)
);
ALTER TABLE muhur.notice ADD FOREIGN KEY (run) REFERENCES muhur.reconcile_run;

CREATE TABLE muhur.reconcile_input (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	PRIMARY KEY (run, submission)
);

-- R1's comparison, one row a platform, custodian and asset.
CREATE TABLE muhur.pair (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	platform_quantity numeric(38,18) NOT NULL,
	custodian_quantity numeric(38,18) NOT NULL,
	difference	numeric(38,18) NOT NULL,	-- platform - custodian
	PRIMARY KEY (run, platform, custodian, asset)
);

-- A break lives through runs; finding is what one run saw of it.
-- id: rule and the first 12 hex digits of SHA-256 over its key, so the same
-- break has the same id whatever the order of arrival.
CREATE TABLE muhur.break (
	id		text PRIMARY KEY,
	rule		text NOT NULL,
	kind		text NOT NULL,
	key		text NOT NULL,
	platform	text,
	custodian	text,
	asset		text,
	first_seen	date NOT NULL,
	last_seen	date NOT NULL,
	state		text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'explained', 'cured', 'closed'))
);

CREATE TABLE muhur.finding (
	run		bigint NOT NULL REFERENCES muhur.reconcile_run,
	break_id	text NOT NULL REFERENCES muhur.break,
	status		text NOT NULL CHECK (status IN ('new', 'continuing', 'cured')),
	platform_quantity numeric(38,18),
	custodian_quantity numeric(38,18),
	difference	numeric(38,18),
	detail		text NOT NULL,
	submissions	bigint[] NOT NULL,	-- whose records it came from
	PRIMARY KEY (run, break_id)
);
