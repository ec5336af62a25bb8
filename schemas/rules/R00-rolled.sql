-- R00, rolled: each customer's lines of an asset brought together, once for R3
-- and R5.  No rule by itself.
-- Source: III-35/B.2 m.10(2)c: bookings and balances are followed per customer;
-- m.33(1).
--
-- In words: for each platform, registry number, customer number and asset, over
-- all places of holding,
--	closing	= sum of the balances of the day
--	opening	= sum of the balances of the day before
--	moved	= sum of the day's movements, but LOCK, which changes no balance
--	net_opening, net, net_closing = what the netting report says
-- NULL where there is no such line.  net_doubled = more than one netting line.
-- Which of them are breaks is for R3 and R5 to say.
--
-- Not of all registry numbers: a day's lines, tens of millions, have passed the
-- sieve before (src/reconcile/sieve.h), and it left those that R3 and R5 have to
-- look at.  Its tables:
--	doubtful	registry_no, and why, each true or false: roll (the lines that are
--			brought together here), doubled (R05-duplicate-line.sql),
--			unknown (R05-unknown-registry-no.sql)
--	rolling		the platforms, and which of their reports are in:
--			member_code, closing_in, opening_in, movement_in, netting_in

CREATE TEMPORARY TABLE rolled ON COMMIT DROP AS
SELECT registry_no, customer_no, asset, member_code,
	sum(closing) AS closing, sum(opening) AS opening, sum(moved) AS moved,
	sum(net_opening) AS net_opening, sum(net) AS net, sum(net_closing) AS net_closing,
	count(net) > 1 AS net_doubled
FROM (
	SELECT b.registry_no, b.customer_no, b.asset, b.member_code, b.quantity AS closing,
		NULL::numeric AS opening, NULL::numeric AS moved,
		NULL::numeric AS net_opening, NULL::numeric AS net, NULL::numeric AS net_closing
	FROM muhur.balance b
	WHERE b.business_date = $2 AND b.submission = ANY ($3)
	UNION ALL
	SELECT b.registry_no, b.customer_no, b.asset, b.member_code, NULL, b.quantity, NULL, NULL, NULL, NULL
	FROM muhur.balance b
	WHERE b.business_date = $2::date - 1 AND b.submission = ANY ($4)
	UNION ALL
	SELECT m.registry_no, m.customer_no, m.asset, m.member_code, NULL, NULL, m.quantity, NULL, NULL, NULL
	FROM muhur.movement m
	WHERE m.business_date = $2 AND m.submission = ANY ($3) AND m.type <> 'LOCK'
	UNION ALL
	SELECT n.registry_no, n.customer_no, n.asset, n.member_code, NULL, NULL, NULL, n.opening, n.net, n.closing
	FROM muhur.netting n
	WHERE n.business_date = $2 AND n.submission = ANY ($3)
) line JOIN pg_temp.doubtful d USING (registry_no)
WHERE d.roll
GROUP BY registry_no, customer_no, asset, member_code;

ANALYZE pg_temp.rolled;
