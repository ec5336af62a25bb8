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

-- The balances are read once, for what is cited; claimed tells the places.
CREATE TEMPORARY TABLE cited_place ON COMMIT DROP AS
SELECT DISTINCT c.platform AS member_code, c.custodian AS held_at, c.asset
FROM pg_temp.claimed c JOIN pg_temp.cited d ON d.platform = c.platform AND d.asset = c.asset
	AND (d.place IS NULL OR d.place = c.custodian);
ANALYZE pg_temp.cited_place;

CREATE TEMPORARY TABLE cited_line ON COMMIT DROP AS
SELECT member_code AS platform, held_at AS place, asset, submission, record_no
FROM (
	SELECT b.member_code, b.held_at, b.asset, b.submission, b.record_no,
		row_number() OVER (PARTITION BY b.submission, b.held_at, b.asset ORDER BY b.record_no) AS nth
	FROM pg_temp.cited_place c JOIN muhur.balance b USING (member_code, held_at, asset)
	WHERE b.business_date = $2 AND b.submission IN (SELECT submission FROM pg_temp.in_effect)
) line
WHERE nth <= 100
UNION ALL
SELECT o.platform, o.member_code, o.asset, o.submission, o.record_no
FROM muhur.custody_omnibus o JOIN pg_temp.in_effect e ON e.submission = o.submission
WHERE o.business_date = $2;

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
