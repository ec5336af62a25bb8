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
-- own = for each platform and asset, what its HoldingReport says is in its own
-- wallets at 23:59, customers' and the house's apart (m.10(2)c).  direct = what
-- custodians keep for customers of their own.
--
-- A rule file: statements in SQL, $1 the run's number, $2 the business date, $3 and $4 see below.
-- It finds these temporary tables:
--   in_effect	 the submissions of the day whose records count: submission,
--		 member_code, message_type, message_id, sequence
--   day_before	 the BalanceReports in effect of the day before: submission,
--		 member_code, message_id
--   contracted	 pairs with a contract valid on the day: platform, custodian,
--		 platform_in, custodian_in (is that side's report in?),
--		 full_custody (m.26(7))
--   found	 where it puts what it finds; key names the break for ever and
--		 must not depend on the order of arrival, nor on the day; R3's
--		 and R4's alone name their day, since what is owed for one day,
--		 or was booked in it, is not cured by what comes for another.
--		 records: {"<submission>": [record numbers]}, at most 100 each
--   cutoff	 message_type, at: its cut-off of the day, due: has it passed, or
--		 did an operator ask
--   earlier	 run: of an earlier day, the one that this goes on from; empty
--		 where there is none
--   rolling, doubtful	see R00-rolled.sql
--
-- What comes by the million is read by way of $3, the submissions of in_effect as
-- an array, and $4, those of day_before whose platforms sent movements or nets: a
-- query that reads a temporary table is not run in parallel, nor is one that
-- inserts, hence CREATE ... AS.

-- By submission, with the range of its record numbers, for R99-records.sql.
CREATE TEMPORARY TABLE claimed_by ON COMMIT DROP AS
SELECT b.submission, b.member_code AS platform, b.held_at AS custodian, b.asset, sum(b.quantity) AS quantity,
	count(*) AS lines, min(b.record_no) AS first_record, max(b.record_no) AS last_record
FROM muhur.balance b
WHERE b.business_date = $2 AND b.submission = ANY ($3)
GROUP BY b.submission, b.member_code, b.held_at, b.asset;

CREATE TEMPORARY TABLE claimed ON COMMIT DROP AS
SELECT platform, custodian, asset, sum(quantity) AS quantity,
	array_agg(submission ORDER BY submission) AS submissions
FROM pg_temp.claimed_by
GROUP BY platform, custodian, asset;

CREATE TEMPORARY TABLE kept (
	platform	text NOT NULL,
	custodian	text NOT NULL,
	asset		text NOT NULL,
	quantity	numeric NOT NULL,
	hot		numeric NOT NULL,	-- of quantity, in hot wallets
	pending		numeric NOT NULL,	-- signed, not yet mined; of a line, no more than it has
	hot_pending	numeric NOT NULL,	-- of pending, in hot wallets
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.kept (platform, custodian, asset, quantity, hot, pending, hot_pending, submissions)
SELECT platform, member_code, asset, sum(quantity), sum(hot), sum(pending), sum(hot_pending),
	array_agg(submission ORDER BY submission)
FROM (
	SELECT o.submission, o.member_code, o.platform, o.asset, sum(o.quantity) AS quantity,
		coalesce(sum(o.quantity) FILTER (WHERE o.wallet = 'HOT'), 0) AS hot, sum(least(o.pending, o.quantity)) AS pending,
		coalesce(sum(least(o.pending, o.quantity)) FILTER (WHERE o.wallet = 'HOT'), 0) AS hot_pending
	FROM muhur.custody_omnibus o JOIN pg_temp.in_effect e ON e.submission = o.submission
	WHERE o.business_date = $2
	GROUP BY o.submission, o.member_code, o.platform, o.asset
) one_report
GROUP BY member_code, platform, asset;

CREATE TEMPORARY TABLE own (
	platform	text NOT NULL,
	asset		text NOT NULL,
	customer	numeric NOT NULL,	-- of customers
	house		numeric NOT NULL,	-- of the platform itself
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.own (platform, asset, customer, house, submissions)
SELECT w.member_code, w.asset,
	coalesce(sum(w.quantity) FILTER (WHERE w.owner = 'CUSTOMER'), 0),
	coalesce(sum(w.quantity) FILTER (WHERE w.owner = 'HOUSE'), 0),
	array_agg(DISTINCT w.submission ORDER BY w.submission)
FROM muhur.wallet w JOIN pg_temp.in_effect e ON e.submission = w.submission
WHERE w.business_date = $2 AND w.as_of IS NULL
GROUP BY w.member_code, w.asset;

-- The platforms whose wallets at 23:59 are known: one whose HoldingReports are
-- all of moments within the day (m.41(2)) has not said; one without a record
-- has nothing.
CREATE TEMPORARY TABLE wallets_in (platform text PRIMARY KEY) ON COMMIT DROP;

INSERT INTO pg_temp.wallets_in (platform)
SELECT DISTINCT e.member_code
FROM pg_temp.in_effect e
LEFT JOIN (
	SELECT submission, as_of FROM muhur.wallet WHERE business_date = $2
	UNION SELECT submission, as_of FROM muhur.reserve WHERE business_date = $2
) r USING (submission)
WHERE e.message_type = 'HoldingReport' AND r.as_of IS NULL;

CREATE TEMPORARY TABLE direct (
	custodian	text NOT NULL,
	asset		text NOT NULL,
	quantity	numeric NOT NULL,
	hot		numeric NOT NULL,
	submissions	bigint[] NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.direct (custodian, asset, quantity, hot, submissions)
SELECT c.member_code, c.asset, sum(c.quantity), coalesce(sum(c.quantity) FILTER (WHERE c.wallet = 'HOT'), 0),
	array_agg(DISTINCT c.submission ORDER BY c.submission)
FROM muhur.custody_direct c JOIN pg_temp.in_effect e ON e.submission = c.submission
WHERE c.business_date = $2
GROUP BY c.member_code, c.asset;

ANALYZE pg_temp.claimed_by;
ANALYZE pg_temp.claimed;
ANALYZE pg_temp.kept;
ANALYZE pg_temp.own;
ANALYZE pg_temp.wallets_in;
ANALYZE pg_temp.direct;
