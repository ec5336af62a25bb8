-- 021-central: the balances that a run took in, line by line.

-- For who adds them up himself (src/load/central.c), as muhur.central_sum does.
CREATE VIEW muhur.central_part AS
	SELECT i.run, b.business_date, b.registry_no, b.asset, b.member_code AS platform, b.quantity, b.locked
	FROM muhur.reconcile_input i JOIN muhur.balance b ON b.submission = i.submission;
GRANT SELECT ON muhur.central_part TO muhur_load;

-- R00-rolled.sql, which it was for, groups few lines now.
DROP AGGREGATE muhur.total(numeric);
