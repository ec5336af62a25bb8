-- R5, duplicate lines.
-- Source: S2 section G (one account, one line); III-35/B.2 m.32(2).
--
-- In words: within the reports of one member that are in effect on the day,
-- more than one line of the same key: of a BalanceReport registry number,
-- customer number, place and asset; of a CustodyReport's omnibus wallets
-- platform, asset and wallet; of its direct customers registry number,
-- customer number, asset and wallet.  One break a key, with the sum of its
-- lines.  The lines are added up as reported: whether the member meant one of
-- them or both is for the member to say.
--
-- The detail names the first three lines by MessageId and record number, and
-- not the investor.

CREATE TEMPORARY TABLE doubled (
	message_type	text NOT NULL,
	key		text NOT NULL,
	member_code	text NOT NULL,
	platform	text,
	custodian	text,
	asset		text NOT NULL,
	quantity	numeric NOT NULL,
	submission	bigint NOT NULL,
	record_no	bigint NOT NULL
) ON COMMIT DROP;

-- Balances come by the million: those whose hash stands alone are put aside
-- first, since a number groups several times faster than five texts do.  Equal
-- hashes prove nothing and are compared in full.
CREATE TEMPORARY TABLE suspect (hash bigint NOT NULL) ON COMMIT DROP;
INSERT INTO pg_temp.suspect
SELECT hash_record_extended(ROW(b.member_code, b.registry_no, b.customer_no, b.held_at, b.asset), 0)
FROM muhur.balance b JOIN pg_temp.in_effect e ON e.submission = b.submission
WHERE b.business_date = $2
GROUP BY 1 HAVING count(*) > 1;
ANALYZE pg_temp.suspect;

INSERT INTO pg_temp.doubled
SELECT 'BalanceReport', concat_ws('|', 'Bal', member_code, registry_no, customer_no, held_at, asset),
	member_code, member_code, nullif(held_at, 'OWN'), asset, quantity, submission, record_no
FROM (
	SELECT b.*, count(*) OVER (PARTITION BY b.member_code, b.registry_no, b.customer_no,
		b.held_at, b.asset) AS n
	FROM muhur.balance b JOIN pg_temp.in_effect e ON e.submission = b.submission
	JOIN pg_temp.suspect s ON s.hash = hash_record_extended(
		ROW(b.member_code, b.registry_no, b.customer_no, b.held_at, b.asset), 0)
	WHERE b.business_date = $2
) line
WHERE n > 1;

INSERT INTO pg_temp.doubled
SELECT 'CustodyReport', concat_ws('|', 'Omn', member_code, platform, asset, wallet),
	member_code, platform, member_code, asset, o.quantity, o.submission, o.record_no
FROM (
	SELECT d.member_code, d.platform, d.asset, d.wallet
	FROM muhur.custody_omnibus d JOIN pg_temp.in_effect e ON e.submission = d.submission
	WHERE d.business_date = $2
	GROUP BY d.member_code, d.platform, d.asset, d.wallet
	HAVING count(*) > 1
) twice
JOIN muhur.custody_omnibus o USING (member_code, platform, asset, wallet)
WHERE o.business_date = $2 AND o.submission IN (SELECT submission FROM pg_temp.in_effect);

INSERT INTO pg_temp.doubled
SELECT 'CustodyReport', concat_ws('|', 'Dir', member_code, registry_no, customer_no, asset, wallet),
	member_code, NULL, member_code, asset, c.quantity, c.submission, c.record_no
FROM (
	SELECT d.member_code, d.registry_no, d.customer_no, d.asset, d.wallet
	FROM muhur.custody_direct d JOIN pg_temp.in_effect e ON e.submission = d.submission
	WHERE d.business_date = $2
	GROUP BY d.member_code, d.registry_no, d.customer_no, d.asset, d.wallet
	HAVING count(*) > 1
) twice
JOIN muhur.custody_direct c USING (member_code, registry_no, customer_no, asset, wallet)
WHERE c.business_date = $2 AND c.submission IN (SELECT submission FROM pg_temp.in_effect);

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', 'III-35/B.2 m.32(2); MKS rules G', 'DUPLICATE_LINE', key, platform, custodian, asset,
	CASE WHEN message_type = 'BalanceReport' THEN sum(quantity) END,
	CASE WHEN message_type = 'CustodyReport' THEN sum(quantity) END, NULL,
	count(*) || ' lines of one key: '
	|| string_agg(message_id || ' record ' || record_no, ', ' ORDER BY nth) FILTER (WHERE nth <= 3)
	|| CASE WHEN count(*) > 3 THEN ', ...' ELSE '' END,
	array_agg(DISTINCT submission ORDER BY submission)
FROM (
	SELECT d.*, e.message_id, row_number() OVER (PARTITION BY d.key
		ORDER BY e.message_id COLLATE "C", d.record_no) AS nth
	FROM pg_temp.doubled d JOIN pg_temp.in_effect e USING (submission)
) line
GROUP BY message_type, key, platform, custodian, asset;
