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
-- NULL where there is no such line.  Of all keys the table keeps those that
-- R3 or R5 have to look at:
--	closing - opening - moved <> 0, where all three reports are in;
--	a netting line that one of the other reports, or its own arithmetic,
--	contradicts; movements without a netting line, or the reverse, where
--	both reports are in;
--	more than one balance line, unless the places' hashes are all different,
--	which proves that no place stands twice; more than one netting line.
-- Which of them are breaks is for R3 and R5 to say.
--
-- One pass over sorted rows: tens of millions of keys of two or three lines
-- each are hashed at a far greater price, in memory and in time.  A registry
-- number is ten digits (schemas/xml/common-1.xsd), so that a number stands for
-- it here, and is told apart quickly.

-- The platforms, and which of their reports are in.
CREATE TEMPORARY TABLE rolling (
	member_code	text PRIMARY KEY,
	closing_in	boolean NOT NULL,
	opening_in	boolean NOT NULL,
	movement_in	boolean NOT NULL,
	netting_in	boolean NOT NULL
) ON COMMIT DROP;

INSERT INTO pg_temp.rolling (member_code, closing_in, opening_in, movement_in, netting_in)
SELECT e.member_code, bool_or(e.message_type = 'BalanceReport'),
	EXISTS (SELECT FROM pg_temp.day_before d WHERE d.member_code = e.member_code),
	bool_or(e.message_type = 'MovementReport'), bool_or(e.message_type = 'NettingReport')
FROM pg_temp.in_effect e
WHERE e.message_type IN ('BalanceReport', 'MovementReport', 'NettingReport')
GROUP BY e.member_code;
ANALYZE pg_temp.rolling;

SELECT set_config('enable_hashagg', 'off', true);

-- The columns stand in the order in which the sort takes them, and are all of the
-- same types: otherwise each row would be put together twice more on its way.
CREATE TEMPORARY TABLE rolled ON COMMIT DROP AS
SELECT asset, customer_no, member_code, lpad(registry_no::text, 10, '0') AS registry_no,
	muhur.total(closing) AS closing, muhur.total(opening) AS opening, muhur.total(moved) AS moved,
	muhur.total(net_opening) AS net_opening, muhur.total(net) AS net, muhur.total(net_closing) AS net_closing,
	count(closing) > 1 AND bit_count(bit_or(place)::bit(64)) <> count(closing) AS maybe_doubled,
	count(net) > 1 AS net_doubled
FROM (
	SELECT b.asset COLLATE "C" AS asset, b.customer_no COLLATE "C" AS customer_no,
		b.member_code COLLATE "C" AS member_code, b.registry_no::bigint AS registry_no,
		b.quantity::numeric AS closing, NULL::numeric AS opening, NULL::numeric AS moved,
		NULL::numeric AS net_opening, NULL::numeric AS net, NULL::numeric AS net_closing,
		1::bigint << (hashtext(b.held_at) & 63) AS place
	FROM muhur.balance b
	WHERE b.business_date = $2 AND b.submission = ANY ($3)
	UNION ALL
	SELECT b.asset COLLATE "C", b.customer_no COLLATE "C", b.member_code COLLATE "C", b.registry_no::bigint,
		NULL::numeric, b.quantity::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint
	FROM muhur.balance b
	WHERE b.business_date = $2::date - 1 AND b.submission = ANY ($4)
	UNION ALL
	SELECT m.asset COLLATE "C", m.customer_no COLLATE "C", m.member_code COLLATE "C", m.registry_no::bigint,
		NULL::numeric, NULL::numeric, m.quantity::numeric, NULL::numeric, NULL::numeric, NULL::numeric, NULL::bigint
	FROM muhur.movement m
	WHERE m.business_date = $2 AND m.submission = ANY ($3) AND m.type <> 'LOCK'
	UNION ALL
	SELECT n.asset COLLATE "C", n.customer_no COLLATE "C", n.member_code COLLATE "C", n.registry_no::bigint,
		NULL::numeric, NULL::numeric, NULL::numeric, n.opening::numeric, n.net::numeric, n.closing::numeric, NULL::bigint
	FROM muhur.netting n
	WHERE n.business_date = $2 AND n.submission = ANY ($3)
) line
GROUP BY line.registry_no, asset, customer_no, member_code
HAVING (coalesce(muhur.total(closing), 0) - coalesce(muhur.total(opening), 0) - coalesce(muhur.total(moved), 0) <> 0
	AND member_code = ANY (ARRAY(SELECT r.member_code FROM pg_temp.rolling r
		WHERE r.closing_in AND r.opening_in AND r.movement_in)))
OR (count(net) > 0 AND (muhur.total(net_opening) + muhur.total(net) <> muhur.total(net_closing)
	OR (muhur.total(net_opening) <> coalesce(muhur.total(opening), 0)
		AND member_code = ANY (ARRAY(SELECT r.member_code FROM pg_temp.rolling r WHERE r.opening_in)))
	OR (muhur.total(net_closing) <> coalesce(muhur.total(closing), 0)
		AND member_code = ANY (ARRAY(SELECT r.member_code FROM pg_temp.rolling r WHERE r.closing_in)))
	OR (muhur.total(net) IS DISTINCT FROM muhur.total(moved)
		AND member_code = ANY (ARRAY(SELECT r.member_code FROM pg_temp.rolling r WHERE r.movement_in)))))
OR (count(net) = 0 AND count(moved) > 0
	AND member_code = ANY (ARRAY(SELECT r.member_code FROM pg_temp.rolling r WHERE r.netting_in)))
OR (count(closing) > 1 AND bit_count(bit_or(place)::bit(64)) <> count(closing))
OR count(net) > 1;

SELECT set_config('enable_hashagg', reset_val, true) FROM pg_settings WHERE name = 'enable_hashagg';

ANALYZE pg_temp.rolled;
