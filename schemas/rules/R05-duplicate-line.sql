-- R5, duplicate lines.
-- Source: S2 section G (one account, one line); III-35/B.2 m.32(2).
--
-- In words: within the reports of one member that are in effect on the day,
-- more than one line of the same key: of a BalanceReport registry number,
-- customer number, place and asset; of a MovementReport the movement's id; of a
-- NettingReport registry number, customer number and asset; of a
-- CustodyReport's omnibus wallets platform, asset and wallet; of its direct
-- customers registry number, customer number, asset and wallet.  One break a
-- key, with the sum of its lines.  The lines are added up as reported: whether
-- the member meant one of them or both is for the member to say.

CREATE TEMPORARY TABLE doubled (
	message_type	text NOT NULL,
	key		text NOT NULL,
	member_code	text NOT NULL,
	platform	text,
	custodian	text,
	asset		text,
	quantity	numeric NOT NULL,
	submission	bigint NOT NULL,
	record_no	bigint NOT NULL
) ON COMMIT DROP;

-- Of balances the sieve has found the registry numbers (R00-rolled.sql).
INSERT INTO pg_temp.doubled
WITH near AS MATERIALIZED (
	SELECT b.member_code, b.registry_no, b.customer_no, b.held_at, b.asset, b.quantity, b.submission, b.record_no
	FROM muhur.balance b
	WHERE b.business_date = $2
	AND b.registry_no IN (SELECT d.registry_no FROM pg_temp.doubtful d WHERE d.doubled)
)
SELECT 'BalanceReport', concat_ws('|', 'Bal', member_code, registry_no, customer_no, held_at, asset),
	member_code, member_code, nullif(held_at, 'OWN'), asset, quantity, submission, record_no
FROM (
	SELECT n.*, count(*) OVER (PARTITION BY n.member_code, n.registry_no, n.customer_no, n.held_at, n.asset) AS n
	FROM near n JOIN pg_temp.in_effect e USING (submission)
) line
WHERE n > 1;

INSERT INTO pg_temp.doubled
SELECT 'NettingReport', concat_ws('|', 'Net', n.member_code, n.registry_no, n.customer_no, n.asset),
	n.member_code, n.member_code, NULL, n.asset, n.net, n.submission, n.record_no
FROM pg_temp.rolled r JOIN muhur.netting n USING (registry_no, customer_no, asset, member_code)
WHERE r.net_doubled AND n.business_date = $2
AND n.submission IN (SELECT submission FROM pg_temp.in_effect);

-- Movements come by the million too: those whose id's hash stands alone are put
-- aside first, since a number sorts several times faster than a text.  Equal
-- hashes prove nothing and are compared in full.
SELECT set_config('enable_hashagg', 'off', true);
CREATE TEMPORARY TABLE suspect ON COMMIT DROP AS
SELECT hashtextextended(m.movement_id, hashtext(m.member_code)) AS hash
FROM muhur.movement m
WHERE m.business_date = $2 AND m.submission = ANY ($3)
GROUP BY 1 HAVING count(*) > 1;
SELECT set_config('enable_hashagg', reset_val, true) FROM pg_settings WHERE name = 'enable_hashagg';
ANALYZE pg_temp.suspect;

INSERT INTO pg_temp.doubled
SELECT 'MovementReport', concat_ws('|', 'Mov', member_code, movement_id), member_code, member_code, NULL,
	CASE WHEN first_asset = last_asset THEN asset END, quantity, submission, record_no
FROM (
	SELECT m.*, count(*) OVER one AS n, min(asset) OVER one AS first_asset, max(asset) OVER one AS last_asset
	FROM pg_temp.suspect s JOIN muhur.movement m
	ON hashtextextended(m.movement_id, hashtext(m.member_code)) = s.hash
	WHERE m.business_date = $2 AND m.submission IN (SELECT submission FROM pg_temp.in_effect)
	WINDOW one AS (PARTITION BY m.member_code, m.movement_id)
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

INSERT INTO pg_temp.faulty (kind, rule_source, member_code, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, said, submission, record_no)
SELECT 'DUPLICATE_LINE', 'III-35/B.2 m.32(2); MKS rules G', member_code, key, platform, custodian, asset,
	CASE WHEN message_type <> 'CustodyReport' THEN quantity END,
	CASE WHEN message_type = 'CustodyReport' THEN quantity END,
	count(*) OVER (PARTITION BY key) || ' lines of one key', submission, record_no
FROM pg_temp.doubled;
