-- 008-login: the directory hears of every change of what logins are judged by,
-- so that a session ends soon after its user, key or certificate is not in
-- order any more, whoever changed it and by what means.

CREATE FUNCTION muhur.notify_access() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- Equal notifications of one transaction are delivered once.
	PERFORM pg_notify('muhur_access', '');
	RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION muhur.notify_access() FROM PUBLIC;

CREATE TRIGGER notify_access AFTER UPDATE OF state ON muhur.member
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER UPDATE OF state ON muhur.member_user
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER UPDATE ON muhur.certificate
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER UPDATE OR DELETE ON muhur.login_key
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER INSERT OR UPDATE OR DELETE ON muhur.user_right
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER INSERT OR UPDATE OR DELETE ON muhur.user_role
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
CREATE TRIGGER notify_access AFTER INSERT OR UPDATE OR DELETE ON muhur.role_right
	FOR EACH STATEMENT EXECUTE FUNCTION muhur.notify_access();
