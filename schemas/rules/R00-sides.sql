-- R00: the two sides, added up once for all rules.  No rule by itself.
-- Source: III-35/B.2 m.32(3): platforms' and custodians' reports are compared.
--
-- In words: claimed = for each platform, place and asset, the sum of its
-- customers' balances in the reports that are in effect on the day.  kept =
-- for each custodian, platform and asset, the sum of its omnibus wallets, hot
-- and cold; signed-but-unmined transfers are in the quantity as the
-- custodian's books show them.  A custodian's direct customers are in neither
-- (m.24(2), 26(3)).
--
-- A rule file: statements in SQL, $1 the run's number, $2 the business date.
-- It finds these temporary tables:
--   in_effect	 the submissions whose records count: submission, member_code,
--		 message_type, message_id
--   contracted	 pairs with a contract valid on the day: platform, custodian,
--		 platform_in, custodian_in (is that side's report in?)
--   found	 where it puts what it finds; key names the break for ever and
--		 must not depend on the order of arrival, nor on the day; R4's
--		 alone names its day, since what is owed for one day is not
--		 cured by what comes for another

CREATE TEMPORARY TABLE claimed (
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	quantity	numeric NOT NULL,
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.claimed (platform, custodian, asset, quantity, submissions)
SELECT member_code, held_at, asset, sum(quantity), array_agg(submission ORDER BY submission)
FROM (
	SELECT b.submission, b.member_code, b.held_at, b.asset, sum(b.quantity) AS quantity
	FROM muhur.balance b JOIN pg_temp.in_effect e ON e.submission = b.submission
	WHERE b.business_date = $2
	GROUP BY b.submission, b.member_code, b.held_at, b.asset
) one_report
GROUP BY member_code, held_at, asset;

CREATE TEMPORARY TABLE kept (
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	quantity	numeric NOT NULL,
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.kept (platform, custodian, asset, quantity, submissions)
SELECT platform, member_code, asset, sum(quantity), array_agg(submission ORDER BY submission)
FROM (
	SELECT o.submission, o.member_code, o.platform, o.asset, sum(o.quantity) AS quantity
	FROM muhur.custody_omnibus o JOIN pg_temp.in_effect e ON e.submission = o.submission
	WHERE o.business_date = $2
	GROUP BY o.submission, o.member_code, o.platform, o.asset
) one_report
GROUP BY member_code, platform, asset;

ANALYZE pg_temp.claimed;
ANALYZE pg_temp.kept;
