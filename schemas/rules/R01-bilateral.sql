-- R1: the bilateral comparison.
-- Source: III-35/B.2 m.32(3): platforms' and custodians' reports must give the
-- same result; m.26(1): the custodian keeps each platform's assets apart.
--
-- In words: for each pair of platform p and custodian c with a contract valid
-- on the day, and each asset a that either of them reports for the pair,
--	difference = what p claims to hold at c of a - what c keeps for p of a.
-- A difference beyond R1.tolerance is a break; it is zero unless set otherwise.
-- Where both reports are in, an asset that one of them leaves out counts as
-- zero there.  Where a report is missing nothing is compared: that is R4's
-- break, never zero.
--
-- Sums that go beyond 20 integer digits are compared exactly and then written
-- as the greatest number that has them, which the break's detail says.

CREATE TEMPORARY TABLE compared (
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	claimed		numeric,	-- NULL: the report is missing
	kept		numeric,
	claimed_line	boolean NOT NULL,
	kept_line	boolean NOT NULL,
	differs		boolean,	-- NULL: not compared
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

-- The reports of a side that has no line of the asset are sources too: the
-- line is missing in all of them.
INSERT INTO pg_temp.compared
SELECT k.platform, k.custodian, a.asset,
	CASE WHEN k.platform_in THEN coalesce(c.quantity, 0) END,
	CASE WHEN k.custodian_in THEN coalesce(o.quantity, 0) END,
	c.asset IS NOT NULL, o.asset IS NOT NULL,
	CASE WHEN k.platform_in AND k.custodian_in THEN abs(coalesce(c.quantity, 0) - coalesce(o.quantity, 0))
		> (SELECT muhur.parameter('R1.tolerance', $2)::numeric) END,
	coalesce(c.submissions, ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE e.member_code = k.platform AND e.message_type = 'BalanceReport' ORDER BY 1))
	|| coalesce(o.submissions, ARRAY(SELECT e.submission FROM pg_temp.in_effect e
		WHERE e.member_code = k.custodian AND e.message_type = 'CustodyReport' ORDER BY 1))
FROM pg_temp.contracted k
JOIN (
	SELECT platform, custodian, asset FROM pg_temp.claimed
	UNION SELECT platform, custodian, asset FROM pg_temp.kept
) a USING (platform, custodian)
LEFT JOIN pg_temp.claimed c USING (platform, custodian, asset)
LEFT JOIN pg_temp.kept o USING (platform, custodian, asset);

ANALYZE pg_temp.compared;

-- least and greatest pass over NULL, which must stay NULL here.
INSERT INTO muhur.pair (run, platform, custodian, asset, platform_quantity,
	custodian_quantity, difference, status)
SELECT $1, platform, custodian, asset,
	CASE WHEN claimed IS NOT NULL THEN greatest(-m.most, least(m.most, claimed)) END,
	CASE WHEN kept IS NOT NULL THEN greatest(-m.most, least(m.most, kept)) END,
	CASE WHEN claimed - kept IS NOT NULL THEN greatest(-m.most, least(m.most, claimed - kept)) END,
	CASE WHEN differs THEN 'break' WHEN NOT differs THEN 'matched' ELSE 'missing' END
FROM pg_temp.compared, (VALUES (99999999999999999999.999999999999999999)) AS m (most)
ORDER BY platform COLLATE "C", custodian COLLATE "C", asset COLLATE "C";

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R1', 'III-35/B.2 m.32(3), 26(1)', 'QUANTITY_DIFFERENCE',
	platform || '|' || custodian || '|' || asset, platform, custodian, asset,
	claimed, kept, claimed - kept,
	CASE WHEN NOT kept_line THEN 'the custodian''s report has no line of it, counted as zero'
		WHEN NOT claimed_line THEN 'the platform''s report has no line of it, counted as zero'
		ELSE 'both report it, with different quantities' END
	|| CASE WHEN greatest(abs(claimed), abs(kept), abs(claimed - kept)) >= 1e20
		THEN '; a quantity has more than 20 integer digits and is written as the greatest that has 20' ELSE '' END,
	submissions
FROM pg_temp.compared
WHERE differs;
