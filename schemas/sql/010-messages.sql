-- 010-messages: tables of the further message types; big submissions get
-- tables of their own; what the rules are set to.

-- A day's partition of what comes by the million is itself partitioned, by
-- bulk: 0 are all the submissions that share a table; a submission over a
-- threshold has a table of its own, bulk being its number, which is attached
-- and not copied.  Days from before this stay as they are, one table each.
ALTER TABLE muhur.balance ADD COLUMN bulk bigint NOT NULL DEFAULT 0;

CREATE TABLE muhur.movement (
	business_date	date NOT NULL,
	bulk		bigint NOT NULL DEFAULT 0,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,		-- the platform
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	movement_id	text NOT NULL,
	registry_no	text NOT NULL,
	customer_no	text NOT NULL,
	asset		text NOT NULL,
	type		text NOT NULL,		-- BUY, SELL, TRANSFER_IN, TRANSFER_OUT, FEE, LOCK, CORRECTION
	quantity	numeric(38,18) NOT NULL,	-- with its sign
	occurred_at	timestamptz NOT NULL,
	tx_hash		text,
	reverses_id	text
) PARTITION BY LIST (business_date);

CREATE TABLE muhur.netting (
	business_date	date NOT NULL,
	bulk		bigint NOT NULL DEFAULT 0,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	registry_no	text NOT NULL,
	customer_no	text NOT NULL,
	asset		text NOT NULL,
	opening		numeric(38,18) NOT NULL,
	net		numeric(38,18) NOT NULL,
	closing		numeric(38,18) NOT NULL
) PARTITION BY LIST (business_date);

-- A platform's own wallets; as_of NULL: the end of the day, 23:59.
CREATE TABLE muhur.wallet (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	as_of		timestamptz,
	wallet		text NOT NULL,		-- HOT, COLD
	owner		text NOT NULL,		-- CUSTOMER, HOUSE
	asset		text NOT NULL,
	quantity	numeric(38,18) NOT NULL
) PARTITION BY LIST (business_date);

CREATE TABLE muhur.reserve (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	as_of		timestamptz,
	kind		text NOT NULL,		-- CRYPTO, DEPOSIT, FUND
	asset		text,			-- of CRYPTO
	currency	text,			-- of DEPOSIT, FUND
	quantity	numeric(38,18) NOT NULL	-- units of the asset, or an amount
) PARTITION BY LIST (business_date);

-- What goes on until it is told anew is read by asset, whatever the day: few
-- rows a day, one table.
CREATE TABLE muhur.listing (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	asset		text NOT NULL,
	status		text NOT NULL,		-- LISTED, DELISTED
	valid_from	date NOT NULL,
	reason		text,
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.listing (member_code, asset, valid_from);

CREATE TABLE muhur.reference_rate (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	currency	text NOT NULL,
	rate		numeric(38,18) NOT NULL,	-- TRY for one unit
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.reference_rate (currency, business_date);

CREATE TABLE muhur.reference_asset (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	asset		text NOT NULL,
	market_value_usd	numeric(38,18),		-- NULL: not known
	listed_on	date,				-- its first listing anywhere
	custody		text NOT NULL,			-- ANY, NONE: no custodian can hold it (m.17(2))
	reserve_base	boolean NOT NULL,		-- counts in R10's base (m.41(4))
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.reference_asset (asset, business_date);

CREATE TABLE muhur.reference_weight (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	kind		text NOT NULL,			-- CRYPTO, DEPOSIT, FUND
	asset		text,				-- NULL: every asset without one of its own
	weight		numeric(38,18) NOT NULL,	-- 0 to 1
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.reference_weight (kind, asset, business_date);

CREATE TABLE muhur.reference_day (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	day		date NOT NULL,
	kind		text NOT NULL,			-- WORKDAY, HOLIDAY
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.reference_day (day, business_date);

-- What a party says of a break [farklılık açıklaması].
CREATE TABLE muhur.response (
	business_date	date NOT NULL,
	submission	bigint NOT NULL REFERENCES muhur.submission,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	break_id	text NOT NULL,
	explanation	text NOT NULL,
	quantity	numeric(38,18),
	reference	text,
	PRIMARY KEY (submission, record_no)
);
CREATE INDEX ON muhur.response (break_id);

-- Makes a day's partitions where they are absent.  A table is made alone and
-- then attached, since CREATE ... PARTITION OF would lock out running loads.
CREATE OR REPLACE FUNCTION muhur.ensure_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent text;
	part text;
BEGIN
	FOREACH parent IN ARRAY ARRAY['price', 'balance', 'custody_omnibus', 'custody_direct',
	    'movement', 'netting', 'wallet', 'reserve'] LOOP
		part := parent || '_' || to_char(day, 'YYYYMMDD');
		IF to_regclass('muhur.' || part) IS NOT NULL THEN
			CONTINUE;
		END IF;
		PERFORM pg_advisory_xact_lock(hashtext('muhur.ensure_day'));
		-- a query sees what another session committed while this one
		-- waited; to_regclass may answer from a cache
		IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		    WHERE n.nspname = 'muhur' AND c.relname = part) THEN
			CONTINUE;
		END IF;
		EXECUTE format('CREATE TABLE muhur.%I (LIKE muhur.%I INCLUDING ALL)%s', part, parent,
			CASE WHEN parent IN ('balance', 'movement', 'netting') THEN ' PARTITION BY LIST (bulk)' END);
		EXECUTE format('ALTER TABLE muhur.%I ADD CHECK (business_date = %L)', part, day);
		IF parent IN ('balance', 'movement', 'netting') THEN
			EXECUTE format('CREATE TABLE muhur.%I PARTITION OF muhur.%I FOR VALUES IN (0)', part || '_0', part);
			-- one submission's rows lie together among the many's; what that costs
			-- a load is not to be measured
			EXECUTE format('CREATE INDEX ON muhur.%I USING brin (submission) WITH (autosummarize = on)', part || '_0');
		END IF;
		EXECUTE format('ALTER TABLE muhur.%I ATTACH PARTITION muhur.%I FOR VALUES IN (%L)', parent, part, day);
	END LOOP;
END $$;

-- A table for one submission's records of one kind, named muhur.<kind>_<day>_<no>,
-- in the transaction that fills it; muhur-load may add to it and nothing else.
-- NULL: a day from before this, to whose one table none can be attached.
CREATE FUNCTION muhur.own_table(kind text, day date, which bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent text := kind || '_' || to_char(day, 'YYYYMMDD');
	part text := parent || '_' || which;
BEGIN
	IF kind NOT IN ('balance', 'movement', 'netting') OR which <= 0 THEN
		RAISE EXCEPTION '%: has no tables of submissions', kind USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	    WHERE n.nspname = 'muhur' AND c.relname = parent AND c.relkind = 'p') THEN
		RETURN NULL;
	END IF;
	-- with the day's own constraints, by their names
	EXECUTE format('CREATE TABLE muhur.%I (LIKE muhur.%I INCLUDING ALL)', part, parent);
	EXECUTE format('ALTER TABLE muhur.%I ALTER bulk SET DEFAULT %s, ADD CHECK (bulk = %s)', part, which, which);
	EXECUTE format('GRANT INSERT ON muhur.%I TO muhur_load', part);
	RETURN 'muhur.' || quote_ident(part);
END $$;

-- It belongs to the day from then on; its rows are checked already, so that the
-- lock on the day's other tables is short.
CREATE FUNCTION muhur.attach_table(kind text, day date, which bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent text := kind || '_' || to_char(day, 'YYYYMMDD');
	part text := parent || '_' || which;
BEGIN
	IF kind NOT IN ('balance', 'movement', 'netting') OR which <= 0 THEN
		RAISE EXCEPTION '%: has no tables of submissions', kind USING ERRCODE = 'invalid_parameter_value';
	END IF;
	EXECUTE format('REVOKE ALL ON muhur.%I FROM muhur_load', part);
	EXECUTE format('ALTER TABLE muhur.%I ATTACH PARTITION muhur.%I FOR VALUES IN (%s)', parent, part, which);
END $$;

-- What the rules are set to, and from which business day on: the Board's figures,
-- and our choices where the sources are silent or ambiguous.  A day is judged by
-- the last row of each name that holds on it.
CREATE TABLE muhur.parameter (
	name		text NOT NULL,
	valid_from	date NOT NULL DEFAULT '2000-01-01',
	value		text NOT NULL,
	set_at		timestamptz,		-- NULL: as shipped
	note		text NOT NULL DEFAULT '',	-- the article, or what the choice is
	PRIMARY KEY (name, valid_from)
);
CREATE FUNCTION muhur.parameter(which text, day date) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.value FROM muhur.parameter p WHERE p.name = which AND p.valid_from <= day
	ORDER BY p.valid_from DESC LIMIT 1
$$;
INSERT INTO muhur.parameter (name, value, note) VALUES
	('R1.tolerance', '0', 'ours: the greatest difference that is none (m.32(3))'),
	('R2.tolerance', '0', 'ours (m.26(1), 32(3))'),
	('R3.tolerance', '0', 'ours (m.33(1))'),
	('R4.movement', 'begun', 'ours: begun = a platform owes MovementReport each day from its first one on; all = every platform; none'),
	('R4.netting', 'begun', 'ours: the same of NettingReport (m.33(1))'),
	('R4.holding', 'begun', 'ours: the same of HoldingReport (m.41)'),
	('R4.reference', 'begun', 'ours: the same of the registry''s ReferenceData'),
	('R5.listing', 'begun', 'ours: begun = judged at platforms that have sent a ListingNotice; all = at every platform (m.22(5))'),
	('R5.registry', 'begun', 'ours: begun = judged once the registry has given a number; all = always'),
	('R6.limit', '0.05', 'm.41(1): the part of customers'' assets that a platform may hold itself at 23:59'),
	('R6.intraday_limit', '0.10', 'm.41(2): within the day'),
	('R6.intraday_custody', 'closing', 'ours: custodians'' part within the day is that of its closing, or opening'),
	('R7.small_usd', '100000', 'm.41(5): an asset below is left out of R6'),
	('R7.share', '0.10', 'm.41(5): what all of these may be of customers'' total before the excess counts'),
	('R7.in_denominator', 'no', 'ambiguous in m.41(5): no = what is left out is in neither part of the ratio; yes = in its denominator'),
	('R8.split', 'asset', 'ambiguous in m.41(7): asset = each asset by what each custodian keeps of it; total = by what each keeps of all; whole = all of it against each'),
	('R9.limit', '0.05', 'm.26(6): a custodian''s hot wallets'),
	('R9.full_limit', '0.10', 'm.26(7): of one that holds all of the platforms'' assets'),
	('R9.full', 'all', 'ours: the higher limit holds where all, or any, of its contracts are of full custody'),
	('R10.limit', '0.03', 'm.41(3): liquid reserve'),
	('R10.base', 'platform', 'ambiguous in m.41(3), "nezdinde": platform = what the platform holds; all = at custodians too'),
	('R11.limit', '0.20', 'm.42(1): one asset of the reserve'),
	('R11.small_limit', '0.10', 'm.42(2): one that is new or small'),
	('R11.small_usd', '5000000000', 'm.42(2): market value below which an asset is small'),
	('R11.new_months', '12', 'm.42(2): listed within so many months'),
	('R11.unknown', 'small', 'ours: an asset without reference data is small, or large'),
	('R11.cash_in_total', 'no', 'ours, m.42(3): cash-like items are no part of the whole that weights are of; yes = they are'),
	('R12.breaches', '2', 'm.48(2): more than so many breaches of R6 in a month'),
	('R12.month', 'calendar', 'ambiguous in m.48(2): calendar, or rolling (the same day of the month before)'),
	('R12.cure_days', '30', 'm.48(1): business days to cure'),
	('R13.months', '6', 'm.17(2): an asset that no custodian can hold'),
	('rate.day', 'same', 'ambiguous: the USD rate of the same business day, or previous'),
	('rate.max_age', '10', 'ours: days after which an older rate is none'),
	('break.limit', '10000', 'ours: breaks of one rule, kind and member that are listed one by one; the rest is one more break'),
	('report.central', 'run', 'm.32(3): CentralRegistryReport with each run, or none');

-- sum() over numeric keeps a state of some hundred bytes for each group; over
-- tens of millions of groups the plain sum is what fits and is as exact.
CREATE AGGREGATE muhur.total(numeric) (
	SFUNC = pg_catalog.numeric_add, STYPE = numeric, PARALLEL = SAFE
);
REVOKE ALL ON FUNCTION muhur.total(numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.total(numeric) TO muhur_reconcile;

REVOKE ALL ON FUNCTION muhur.parameter(text, date), muhur.own_table(text, date, bigint),
	muhur.attach_table(text, date, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.parameter(text, date) TO muhur_load, muhur_reconcile, muhur_admin;
GRANT EXECUTE ON FUNCTION muhur.own_table(text, date, bigint), muhur.attach_table(text, date, bigint) TO muhur_load;

GRANT INSERT ON muhur.movement, muhur.netting, muhur.wallet, muhur.reserve, muhur.listing,
	muhur.reference_rate, muhur.reference_asset, muhur.reference_weight, muhur.reference_day,
	muhur.response TO muhur_load;
GRANT SELECT ON muhur.movement, muhur.netting, muhur.wallet, muhur.reserve, muhur.listing,
	muhur.reference_rate, muhur.reference_asset, muhur.reference_weight, muhur.reference_day,
	muhur.response, muhur.parameter TO muhur_reconcile, muhur_admin;
GRANT SELECT ON muhur.response, muhur.parameter TO muhur_load;
GRANT INSERT ON muhur.parameter TO muhur_admin;
