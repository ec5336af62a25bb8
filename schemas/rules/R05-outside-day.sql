-- R5, movements outside the day.
-- Source: III-35/B.2 m.33(2): the day ends at 23:59.
--
-- In words: a movement in a report of day D that was booked outside
-- [D - 1 23:59, D 23:59) of Istanbul's time; one break a platform and movement
-- id.  It counts in R3 as it stands: whether the day is wrong or the time is
-- for the platform to say.

CREATE TEMPORARY TABLE outside ON COMMIT DROP AS
SELECT m.member_code, m.movement_id, m.asset, m.quantity, m.submission, m.record_no
FROM muhur.movement m
WHERE m.business_date = $2 AND m.submission = ANY ($3)
AND (m.occurred_at < ($2::date - 1 + time '23:59') AT TIME ZONE 'Europe/Istanbul'
	OR m.occurred_at >= ($2::date + time '23:59') AT TIME ZONE 'Europe/Istanbul');

INSERT INTO pg_temp.faulty (kind, rule_source, member_code, key, platform, custodian, asset,
	platform_quantity, custodian_quantity, said, submission, record_no)
SELECT 'OUTSIDE_DAY', 'III-35/B.2 m.33(2)', member_code,
	concat_ws('|', 'OUTSIDE_DAY', member_code, 'Mov', movement_id), member_code, NULL,
	CASE WHEN first_asset = last_asset THEN asset END, quantity, NULL,
	'booked outside the business day', submission, record_no
FROM (
	SELECT o.*, min(asset) OVER one AS first_asset, max(asset) OVER one AS last_asset
	FROM pg_temp.outside o WINDOW one AS (PARTITION BY member_code, movement_id)
) line;
