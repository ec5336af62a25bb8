-- R99: the records that a difference comes from.  No rule by itself.
--
-- In words: a break of R1, R2 or R5 that adds up many lines names in records, of
-- each submission, up to a hundred of the lines it is of, the first by number:
-- the platform's balances, the custodians' omnibus wallets, and for R2 the
-- platform's own wallets at 23:59.

-- Which place each of them looks at; NULL is every place.
CREATE TEMPORARY TABLE cited ON COMMIT DROP AS
SELECT rule, key, platform, custodian AS place, asset
FROM pg_temp.found
WHERE records IS NULL AND asset IS NOT NULL AND (rule IN ('R1', 'R2')
	OR (rule = 'R5' AND kind IN ('NOT_LISTED', 'NO_CONTRACT', 'UNKNOWN_CUSTODIAN')));
ANALYZE pg_temp.cited;

-- Among millions of lines the first hundred of a submission, place and asset are
-- those up to some record number, which a sort of them all would find at a high
-- price: where there are more than a thousand it is guessed from their density,
-- four times over.
CREATE TEMPORARY TABLE cited_place ON COMMIT DROP AS
SELECT b.submission, b.platform AS member_code, b.custodian AS held_at, b.asset, b.lines, b.last_record,
	CASE WHEN b.lines <= 1000 THEN b.last_record
		ELSE b.first_record + (b.last_record - b.first_record + 1) * 400 / b.lines END AS up_to
FROM pg_temp.claimed_by b
WHERE EXISTS (SELECT FROM pg_temp.cited d WHERE d.platform = b.platform AND d.asset = b.asset
	AND (d.place IS NULL OR d.place = b.custodian));
ANALYZE pg_temp.cited_place;

CREATE TEMPORARY TABLE cited_line ON COMMIT DROP AS
SELECT b.submission, b.member_code AS platform, b.held_at AS place, b.asset, b.record_no
FROM pg_temp.cited_place c JOIN muhur.balance b USING (submission, member_code, held_at, asset)
WHERE b.business_date = $2 AND b.record_no <= (SELECT max(up_to) FROM pg_temp.cited_place)
AND b.record_no <= c.up_to;

-- Where the guess was wrong, all lines.
CREATE TEMPORARY TABLE cited_short ON COMMIT DROP AS
SELECT c.*
FROM pg_temp.cited_place c
LEFT JOIN (
	SELECT submission, place, asset, count(*) AS n FROM pg_temp.cited_line GROUP BY submission, place, asset
) l ON l.submission = c.submission AND l.place = c.held_at AND l.asset = c.asset
WHERE coalesce(l.n, 0) < least(c.lines, 100);
ANALYZE pg_temp.cited_short;

INSERT INTO pg_temp.cited_line (submission, platform, place, asset, record_no)
SELECT b.submission, b.member_code, b.held_at, b.asset, b.record_no
FROM pg_temp.cited_short c JOIN muhur.balance b USING (submission, member_code, held_at, asset)
WHERE b.business_date = $2 AND b.record_no > c.up_to;

INSERT INTO pg_temp.cited_line (submission, platform, place, asset, record_no)
SELECT o.submission, o.platform, o.member_code, o.asset, o.record_no
FROM muhur.custody_omnibus o JOIN pg_temp.in_effect e ON e.submission = o.submission
WHERE o.business_date = $2;

ANALYZE pg_temp.cited_line;
ANALYZE pg_temp.found;

UPDATE pg_temp.found f SET records = r.records
FROM (
	SELECT rule, key, jsonb_object_agg(submission, numbers) AS records
	FROM (
		SELECT rule, key, submission, jsonb_agg(record_no ORDER BY record_no) AS numbers
		FROM (
			SELECT line.*, row_number() OVER (PARTITION BY rule, key, submission ORDER BY record_no) AS nth
			FROM (
				SELECT c.rule, c.key, l.submission, l.record_no
				FROM pg_temp.cited c JOIN pg_temp.cited_line l ON l.platform = c.platform
					AND l.asset = c.asset AND (c.place IS NULL OR c.place = l.place)
				JOIN pg_temp.in_effect e ON e.submission = l.submission
				-- a listing is the platform's own affair
				WHERE c.rule <> 'R5' OR c.place IS NOT NULL OR e.message_type = 'BalanceReport'
				UNION ALL
				SELECT c.rule, c.key, w.submission, w.record_no
				FROM pg_temp.cited c JOIN muhur.wallet w ON w.member_code = c.platform AND w.asset = c.asset
				JOIN pg_temp.in_effect e ON e.submission = w.submission
				WHERE c.rule = 'R2' AND w.business_date = $2 AND w.as_of IS NULL
					AND w.owner = 'CUSTOMER'
			) line
		) numbered
		WHERE nth <= 100
		GROUP BY rule, key, submission
	) one_report
	GROUP BY rule, key
) r
WHERE f.rule = r.rule AND f.key = r.key;
