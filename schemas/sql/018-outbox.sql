-- 018-outbox: what was fetched of each notice, when and by whom, and which
-- notices nobody of their member has fetched.

CREATE FUNCTION muhur.range_bytes(r int8multirange) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT coalesce(sum(upper(x) - lower(x)), 0)::bigint FROM unnest(r) x
$$;

-- Downloads that were broken off and gone on with add up.  Of more pieces than
-- any client leaves, the longest stay: a row does not grow without end, nor do the
-- bytes become fewer.
CREATE FUNCTION muhur.range_join(a int8multirange, b int8multirange) RETURNS int8multirange
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT coalesce(range_agg(x), '{}') FROM (SELECT x FROM unnest(a + b) x
		ORDER BY upper(x) - lower(x) DESC, lower(x) LIMIT 64) longest
$$;

CREATE TABLE muhur.notice_fetch (
	notice		bigint NOT NULL REFERENCES muhur.notice,
	user_code	text NOT NULL,
	first_at	timestamptz NOT NULL,	-- the end of the first download of any bytes
	last_at		timestamptz NOT NULL,
	whole_at	timestamptz,		-- since then all bytes have been fetched; NULL: not all
	fetches		bigint NOT NULL CHECK (fetches > 0),
	size		bigint NOT NULL,	-- the notice's
	ranges		int8multirange NOT NULL,	-- which bytes, in all fetches together
	bytes		bigint GENERATED ALWAYS AS (muhur.range_bytes(ranges)) STORED,
	whole		boolean GENERATED ALWAYS AS (muhur.range_bytes(ranges) >= size) STORED,
	PRIMARY KEY (notice, user_code),
	CHECK (ranges <@ int8multirange(int8range(0, size)))
);
COMMENT ON TABLE muhur.notice_fetch IS 'What each user has fetched of a notice, as sessions tell it: bytes that were handed to the connection.';

-- Visible, or visible once, and not fetched as a whole by any user of its member.
CREATE VIEW muhur.notice_unfetched AS
	SELECT n.no, n.id, n.recipient, n.file_name, n.day, n.signed_at, n.published_at, n.archived_at
	FROM muhur.notice n
	WHERE n.published_at IS NOT NULL AND NOT EXISTS (SELECT FROM muhur.notice_fetch f
		WHERE f.notice = n.no AND f.whole AND left(f.user_code, -3) = n.recipient);

-- Whether a jump of the clock is settled, at a start.
CREATE INDEX ON muhur.event (no) WHERE kind IN ('clock-jumped', 'clock-settled');
-- What a start knows of the time before it: the newest event's, and of a jump that
-- is not settled the moment and the seconds.  The directory may not read the trail
-- itself.
CREATE FUNCTION muhur.clock_past(OUT newest timestamptz, OUT jumped_at timestamptz, OUT seconds bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	e record;
BEGIN
	SELECT at INTO newest FROM muhur.event ORDER BY no DESC LIMIT 1;
	SELECT at, kind, (detail ->> 'seconds')::bigint AS seconds INTO e FROM muhur.event
	WHERE kind IN ('clock-jumped', 'clock-settled') ORDER BY no DESC LIMIT 1;
	IF e.kind = 'clock-jumped' THEN
		jumped_at := e.at;
		seconds := e.seconds;
	END IF;
END
$$;
-- What a day's summary looks for.
CREATE INDEX ON muhur.notice (day) WHERE submission IS NULL AND run IS NULL;
CREATE INDEX ON muhur.notice (run) WHERE run IS NOT NULL;
CREATE INDEX ON muhur.submission (received_at) WHERE business_date IS NULL;
CREATE INDEX ON muhur.submission (business_date);
-- What `muhur status' counts each minute: not from the rows, which are wide.
CREATE INDEX submission_by_state ON muhur.submission (state);
CREATE INDEX ON muhur.break (state) WHERE state IN ('open', 'explained', 'cured');

REVOKE ALL ON FUNCTION muhur.range_bytes(int8multirange), muhur.range_join(int8multirange, int8multirange) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.range_bytes(int8multirange), muhur.range_join(int8multirange, int8multirange)
	TO muhur_directory, muhur_admin;
REVOKE ALL ON FUNCTION muhur.clock_past() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION muhur.clock_past() TO muhur_directory;
GRANT SELECT, INSERT, UPDATE ON muhur.notice_fetch TO muhur_directory;
GRANT SELECT ON muhur.notice_fetch, muhur.notice_unfetched TO muhur_admin;
