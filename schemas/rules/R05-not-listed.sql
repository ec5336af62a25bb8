-- R5, asset not listed.
-- Source: III-35/B.2 m.22(5): platforms notify the registry of the assets they
-- list and delist.
--
-- In words: an asset that a platform reports balances, movements or nets of and that
-- is not listed there on the day; one break a platform and asset, with the sum
-- of its balances.  Of the ListingNotices in effect with a business date up to
-- the day, and valid from the day or an earlier one, the newest says whether an
-- asset is listed: by business date, then sequence, MessageId, record number.
-- R5.listing: begun = judged at platforms that have sent a ListingNotice by the
-- day; all = at every platform.

CREATE TEMPORARY TABLE moved_asset ON COMMIT DROP AS
SELECT m.member_code AS platform, m.asset, m.submission
FROM muhur.movement m
WHERE m.business_date = $2 AND m.submission = ANY ($3)
GROUP BY m.member_code, m.asset, m.submission
UNION
SELECT n.member_code, n.asset, n.submission
FROM muhur.netting n
WHERE n.business_date = $2 AND n.submission = ANY ($3);

INSERT INTO pg_temp.found (rule, rule_source, kind, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, difference, detail, submissions)
SELECT 'R5', 'III-35/B.2 m.22(5)', 'NOT_LISTED', 'NOT_LISTED|' || platform || '|' || asset,
	platform, NULL, asset, r.quantity, NULL, NULL,
	CASE WHEN l.status IS NULL THEN 'no ListingNotice names it'
		ELSE 'delisted from ' || l.valid_from || ' on' END
	|| CASE WHEN r.quantity IS NULL THEN '; no balance of it is reported' ELSE '' END,
	r.submissions
FROM (
	SELECT platform, asset, sum(quantity) AS quantity,
		array_agg(DISTINCT submission ORDER BY submission) AS submissions
	FROM (
		-- a report's sum counts once, with the first of its submissions
		SELECT c.platform, c.asset, CASE WHEN s.nth = 1 THEN c.quantity END AS quantity, s.submission
		FROM pg_temp.claimed c CROSS JOIN LATERAL unnest(c.submissions) WITH ORDINALITY AS s (submission, nth)
		UNION ALL
		SELECT platform, asset, NULL, submission FROM pg_temp.moved_asset
	) reported
	GROUP BY platform, asset
) r
LEFT JOIN (
	SELECT DISTINCT ON (n.member_code, n.asset) n.member_code AS platform, n.asset, n.status, n.valid_from
	FROM muhur.listing n JOIN muhur.submission s ON s.no = n.submission
	WHERE s.state = 'accepted' AND s.business_date <= $2 AND n.valid_from <= $2
	ORDER BY n.member_code, n.asset, s.business_date DESC, s.sequence DESC, s.message_id COLLATE "C" DESC,
		n.record_no DESC
) l USING (platform, asset)
WHERE l.status IS DISTINCT FROM 'LISTED'
AND (muhur.parameter('R5.listing', $2) = 'all' OR (muhur.parameter('R5.listing', $2) = 'begun'
	AND platform IN (SELECT s.member_code FROM muhur.submission s
		WHERE s.message_type = 'ListingNotice' AND s.state = 'accepted' AND s.business_date <= $2)));
