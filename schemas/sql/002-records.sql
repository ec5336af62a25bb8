-- 002-records: what the reports say, partitioned by business day.
-- record_no: the record's number in its document, from 1; line: its XML line.

CREATE TABLE muhur.price (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	asset		text NOT NULL,
	currency	text NOT NULL,
	price		numeric(38,18) NOT NULL
) PARTITION BY LIST (business_date);

CREATE TABLE muhur.balance (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,		-- the platform
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	registry_no	text NOT NULL,
	customer_no	text NOT NULL,
	held_at		text NOT NULL,		-- custodian's member code, or OWN
	asset		text NOT NULL,
	quantity	numeric(38,18) NOT NULL,
	locked		numeric(38,18) NOT NULL
) PARTITION BY LIST (business_date);

CREATE TABLE muhur.custody_omnibus (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,		-- the custodian
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	platform	text NOT NULL,
	asset		text NOT NULL,
	wallet		text NOT NULL,		-- HOT, COLD
	quantity	numeric(38,18) NOT NULL,
	pending		numeric(38,18) NOT NULL	-- signed, not yet mined (m.26(8))
) PARTITION BY LIST (business_date);

CREATE TABLE muhur.custody_direct (
	business_date	date NOT NULL,
	submission	bigint NOT NULL,
	member_code	text NOT NULL,
	record_no	bigint NOT NULL,
	line		bigint NOT NULL,
	registry_no	text NOT NULL,
	customer_no	text NOT NULL,
	asset		text NOT NULL,
	wallet		text NOT NULL,
	quantity	numeric(38,18) NOT NULL
) PARTITION BY LIST (business_date);

-- Makes a day's partitions where they are absent.  A table is made alone and
-- then attached, since CREATE ... PARTITION OF would lock out running loads.
CREATE FUNCTION muhur.ensure_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent text;
	part text;
BEGIN
	FOREACH parent IN ARRAY ARRAY['price', 'balance', 'custody_omnibus', 'custody_direct'] LOOP
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
		EXECUTE format('CREATE TABLE muhur.%I (LIKE muhur.%I INCLUDING ALL)', part, parent);
		EXECUTE format('ALTER TABLE muhur.%I ADD CHECK (business_date = %L)', part, day);
		EXECUTE format('ALTER TABLE muhur.%I ATTACH PARTITION muhur.%I FOR VALUES IN (%L)', parent, part, day);
	END LOOP;
END $$;
