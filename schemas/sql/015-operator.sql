-- 015-operator: what the operator's command may do about results.

-- `muhur break close': that nothing is left to be done; the reason is the event's.
GRANT UPDATE (state, closed_at, closed_by) ON muhur.break TO muhur_admin;
