/* SPDX-License-Identifier: ISC */
/* RegistrationRequests, from the records pipe to the answers; who may read what. */
#include "unit/load/registry.h"

#include <sys/stat.h>

#define OTHER	"ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/* From the right of 123456789 (9, 8, ... 1), c = d+i mod 10 is 0 nine times: check 0. */
#define VKN	"1234567890"

/* --- what the loader adds -------------------------------------------------------- */

/* Hashes: printf 'TCKN||10000000146' | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY */
static void
test_line(void **state)
{
	static const struct { const char *line, *added; } cases[] = {
		{ "1\t10\tTCKN\t" TCKN "\t\\N\tAD SOYAD\t1990-01-02\t\\N\n",
		    "\ta3a46a33b3f70cdadbd059a3634834da8707b9e2f1e6bed36b7783c5f6ec9b34\tt\n" },
		/* a country that does not belong there makes no second person */
		{ "1\t10\tTCKN\t" TCKN "\tTR\tAD\t1990-01-02\t\\N",
		    "\ta3a46a33b3f70cdadbd059a3634834da8707b9e2f1e6bed36b7783c5f6ec9b34\tt\n" },
		{ "2\t11\tVKN\t" VKN "\t\\N\tŞİRKET\t\\N\t\\N\n",
		    "\t6ee034b3bafb0aa79c80dc3e5bfc9a841929dae3e836d3658a79ee24f0737871\tt\n" },
		{ "3\t12\tFOREIGN\tC01X00T47\tDE\tN\t\\N\t\\N\n",
		    "\t0b9c99dc932dcc20133c4f7cd46996306ce466edbd6efbed849bd28d49fabe9c\tt\n" },
		{ "3\t12\tFOREIGN\tC01X00T47\tUS\tN\t\\N\t\\N\n",
		    "\tfc746ba1f146b3f55586cfb47c6e128cd3733d540c4188f8bb31685ffc0fbb0a\tt\n" },
	};
	struct buf	 out = { 0 };
	const char	*tail;
	size_t		 i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		assert_int_equal(registration_line(&out, cases[i].line, strlen(cases[i].line)), 0);
		len = strcspn(cases[i].line, "\n");
		assert_memory_equal(out.data, cases[i].line, len);
		/* COPY's text form of bytea: \\x */
		tail = out.data + len;
		assert_memory_equal(tail, "\t\\\\x", 4);
		assert_string_equal(tail + 4, cases[i].added + 1);
	}
	buf_reset(&out);
	assert_int_equal(registration_line(&out, "1\t10\tTCKN\n", 10), -1);
	buf_free(&out);
}

static void
test_key(void **state)
{
	(void)state;
	assert_int_equal(registration_key(""), -1);
	assert_int_equal(registration_key("00"), -1);
	assert_int_equal(registration_key("zz" OTHER), -1);
	assert_int_equal(registration_key("zz02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"), -1);
	assert_int_equal(registration_key(KEY "\n"), 0);
}

/* ISO/IEC 7064, MOD 11,10: the standard's own example 0794 has 5; the German tax
 * number 86095742719, which uses it, ends in 9. */
static void
test_check_digit(void **state)
{
	(void)state;
	assert_int_equal(count("SELECT muhur_identity.check_digit('0794')"), 5);
	assert_int_equal(count("SELECT muhur_identity.check_digit('8609574271')"), 9);
}

/* --- answers ----------------------------------------------------------------------- */

static void
test_records(void **state)
{
	(void)state;
	ask("PLA001", "r1",
	    "1\t10\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t1990-01-02\t\\N\n"
	    "2\t11\tTCKN\t10000000147\t\\N\tX\t1990-01-02\t\\N\n"		/* d11 is 6 */
	    "3\t12\tVKN\t" VKN "\t\\N\tÖrnek A.Ş.\t\\N\t\\N\n"
	    "4\t13\tVKN\t1234567891\t\\N\tX\t\\N\t\\N\n"			/* its check digit is 0 */
	    "5\t14\tFOREIGN\tC01X00T47\tDE\tErika Mustermann\t1964-08-12\t\\N\n"
	    "6\t15\tFOREIGN\tC01X00T47\t\\N\tErika Mustermann\t1964-08-12\t\\N\n"
	    "7\t16\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t\\N\t\\N\n"			/* no date of birth */
	    "8\t17\tVKN\t" VKN "\t\\N\tÖrnek A.Ş.\t2026-11-21\t\\N\n"	/* the day is the 20th */
	    "9\t18\tVKN\t" VKN "\t\\N\tÖrnek A.Ş.\t\\N\t1234567890\n"
	    "10\t19\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t1990-01-02\t\\N\n"		/* twice */
	    "11\t20\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t1990-01-03\t\\N\n"
	    "12\t21\tFOREIGN\t" TCKN "\tTR\tAyşe Işık\t1990-01-02\t\\N\n");	/* a second number */
	assert_finding("r1", 1, "REGISTERED");
	assert_finding("r1", 2, "REFUSED: the identity number's check digits are wrong");
	assert_finding("r1", 3, "REGISTERED");
	assert_finding("r1", 4, "REFUSED: the identity number's check digits are wrong");
	assert_finding("r1", 5, "REGISTERED");
	assert_finding("r1", 6, "REFUSED: the country that gave the identity number is missing");
	assert_finding("r1", 7, "REFUSED: the date of birth is missing");
	assert_finding("r1", 8, "REFUSED: the date of birth lies after the business day");
	assert_finding("r1", 9, "REFUSED: a number is given by the registry alone");
	assert_finding("r1", 10, "REGISTERED");
	assert_finding("r1", 11, "REFUSED: the name or the date of birth differs from the one known");
	assert_finding("r1", 12, "REFUSED: an identity of TR is a T.C. identity number or a tax number");
	assert_same_number("r1", 1, "r1", 10);
	/* three persons; a refused record gets no number; each ends in its check digit */
	assert_int_equal(count("SELECT count(DISTINCT registry_no) FROM muhur.record_finding"), 3);
	assert_int_equal(count("SELECT count(*) FROM muhur.record_finding WHERE (code = 'REGISTERED')"
	    " <> (registry_no IS NOT NULL)"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur.registry_number WHERE known_from = '" DAY "'"
	    " AND right(registry_no, 1) = muhur_identity.check_digit(left(registry_no, 9))"), 3);
	/* the states at MERNIS and at the tax office (S2 G) */
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE civil_state = 'accepted'"
	    " AND tax_state IS NULL AND identity_type = 'TCKN'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE tax_state = 'accepted'"
	    " AND civil_state IS NULL AND identity_type IN ('VKN', 'FOREIGN')"), 2);
	/* no result comes later */
	assert_int_equal(count("SELECT count(*) FROM muhur.notice WHERE level = 'result'"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.request WHERE state = 'entered'"), 0);
}

/* One number across all members; a name is the same in another's spelling of case,
 * blanks and Turkish letters, and another name is refused. */
static void
test_other_members(void **state)
{
	(void)state;
	ask_on("2026-11-18", "PLB001", "r2",
	    "1\t10\tTCKN\t" TCKN "\t\\N\tAYŞE IŞIK\t1990-01-02\t\\N\n"
	    "2\t11\tTCKN\t" TCKN "\t\\N\tayse  isik\t1990-01-02\t\\N\n"
	    "3\t12\tTCKN\t" TCKN "\t\\N\tAyse\xcc\xa7 Işık\t1990-01-02\t\\N\n"	/* s + U+0327 */
	    "4\t13\tTCKN\t" TCKN "\t\\N\tAyşe Işıl\t1990-01-02\t\\N\n"
	    "5\t14\tFOREIGN\tC01X00T47\tUS\tErika Mustermann\t1964-08-12\t\\N\n");
	ask("CUA001", "r3", "1\t10\tVKN\t" VKN "\t\\N\tORNEK A.S.\t\\N\t\\N\n");
	assert_finding("r2", 4, "REFUSED: the name or the date of birth differs from the one known");
	assert_same_number("r1", 1, "r2", 1);
	assert_same_number("r1", 1, "r2", 2);
	assert_same_number("r1", 1, "r2", 3);
	assert_same_number("r1", 3, "r3", 1);
	/* the same document number of another country is another's */
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity"), 4);
	/* known from the earliest business day on */
	assert_int_equal(count("SELECT count(*) FROM muhur.registry_number n JOIN muhur_identity.identity i"
	    " USING (registry_no) WHERE i.identity_no = '" TCKN "' AND n.known_from = '2026-11-18'"), 1);
	assert_int_equal(count("SELECT count(*) FROM muhur.registry_number n JOIN muhur_identity.identity i"
	    " USING (registry_no) WHERE i.identity_no = '" VKN "' AND n.known_from = '" DAY "'"), 1);
}

/* The registry's own: numbers given before. */
static void
test_import(void **state)
{
	char	*next, *known, *records, a[12], b[12], c[12], d[12];

	(void)state;
	tckn(200000001, a);
	tckn(200000002, b);
	tckn(200000003, c);
	tckn(200000004, d);
	/* what would be given next is given already */
	next = text("SELECT stem || muhur_identity.check_digit(stem) FROM (SELECT (last_value + 1)::text AS stem"
	    " FROM muhur_identity.number) x");
	known = number("r1", 1);
	records = xasprintf(
	    "1\t10\tTCKN\t%s\t\\N\tA A\t\\N\t%s\n"			/* without a date of birth */
	    "2\t11\tTCKN\t%s\t\\N\tB B\t1980-01-01\t0000000001\n"
	    "3\t12\tTCKN\t%s\t\\N\tC C\t1980-01-01\t%s\n"		/* another's number */
	    "4\t13\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t1990-01-02\t0000000002\n"	/* has another number */
	    "5\t14\tTCKN\t%s\t\\N\tD D\t1980-01-01\t0000000001\n"	/* given two lines before */
	    "6\t15\tTCKN\t" TCKN "\t\\N\tAyşe Yeni\t1990-01-02\t%s\n"	/* her new name */
	    "7\t16\tTCKN\t%s\t\\N\tD D\t1980-01-01\t\\N\n",		/* asks like anybody */
	    a, next, b, c, known, d, known, d);
	ask("MKK001", "i1", records);
	assert_finding("i1", 1, "REGISTERED");
	assert_finding("i1", 2, "REGISTERED");
	assert_finding("i1", 3, "REFUSED: the number is another identity's");
	assert_finding("i1", 4, "REFUSED: the identity has another number");
	assert_finding("i1", 5, "REFUSED: the number is another identity's");
	assert_finding("i1", 6, "REGISTERED");
	assert_finding("i1", 7, "REGISTERED");
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE registry_no = '0000000001' AND name = 'B B'"), 1);
	/* the number that was imported is passed over */
	free(records);
	records = number("i1", 7);
	assert_string_not_equal(records, next);
	assert_int_equal(strtoll(records, NULL, 10) / 10, strtoll(next, NULL, 10) / 10 + 1);
	free(records);
	/* the member's own spelling follows the correction */
	ask("PLB001", "i2", "1\t10\tTCKN\t" TCKN "\t\\N\tAYŞE YENİ\t1990-01-02\t\\N\n"
	    "2\t10\tTCKN\t" TCKN "\t\\N\tAyşe Işık\t1990-01-02\t\\N\n");
	assert_same_number("r1", 1, "i2", 1);
	assert_finding("i2", 2, "REFUSED: the name or the date of birth differs from the one known");
	free(next);
	free(known);
}

/* Entered [Giriş] until it is approved. */
static void
test_waiting(void **state)
{
	char	 sha256[SHA256_HEX_SIZE], none[SHA256_HEX_SIZE], a[12], *records;

	(void)state;
	tckn(300000001, a);
	records = xasprintf("1\t10\tTCKN\t%s\t\\N\tW W\t1980-01-01\t\\N\n", a);
	assert_int_equal(document("PLA003", 'f', MT_REGISTRATION_REQUEST, REC_INVESTOR, "w1", DAY, records,
	    sha256).state, SUB_WAITING);
	free(records);
	assert_finding("w1", 1, "none");
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity WHERE name = 'W W'"), 0);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.request WHERE state = 'entered'"), 1);
	records = xasprintf("1\t5\tw1\t%s\n", sha256);
	assert_int_equal(document("PLA002", 'd', MT_APPROVAL, REC_APPROVED, "w2", DAY, records, none).state,
	    SUB_ACCEPTED);
	free(records);
	assert_finding("w1", 1, "REGISTERED");
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.request WHERE state = 'entered'"), 0);
}

/* What the schema refuses has reached the database before that is known; its
 * server's log, which shows rows that it cannot take, shows none of it. */
static void
test_invalid(void **state)
{
	char	 sha256[SHA256_HEX_SIZE], *path = xasprintf("%s/log", getenv("PGTEST_DIR")), *log;
	size_t	 len;

	(void)state;
	invalid = 1;
	assert_int_equal(document("PLA001", 'a', MT_REGISTRATION_REQUEST, REC_INVESTOR, "m1", DAY,
	    "1\t10\t\\N\t\\N\tXX\tSomebody Secret\tSomeday\t\\N\n"
	    "2\t10\tTCKN\tSecret\\tNumber\t\\N\t\\N\t\\N\t\\N\n", sha256).state, SUB_REJECTED);
	invalid = 0;
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.request WHERE name = 'Somebody Secret'"), 0);
	assert_int_equal(file_read_all(path, 1 << 24, &log, &len), 0);
	assert_null(strstr(log, "Somebody"));
	assert_null(strstr(log, "Someday"));
	assert_null(strstr(log, "Secret"));
	free(log);
	free(path);
}

/* Another key would give everybody a second number. */
static void
test_other_key(void **state)
{
	char	 sha256[SHA256_HEX_SIZE];
	long long n = count("SELECT count(*) FROM muhur_identity.identity");

	(void)state;
	assert_int_equal(registration_key(OTHER), 0);
	assert_int_equal(document("PLA001", 'a', MT_REGISTRATION_REQUEST, REC_INVESTOR, "k1", DAY,
	    "1\t10\tTCKN\t" TCKN "\t\\N\tAyşe Yeni\t1990-01-02\t\\N\n", sha256).retry_later, 1);
	assert_int_equal(count("SELECT count(*) FROM muhur_identity.identity"), n);
	assert_int_equal(registration_key(KEY), 0);
	ask("PLA001", "k2", "1\t10\tTCKN\t" TCKN "\t\\N\tAyşe Yeni\t1990-01-02\t\\N\n");
	assert_same_number("r1", 1, "k2", 1);
}

/* --- who may what ---------------------------------------------------------------------------- */

static void
denied(const char *role, const char *query)
{
	struct db	 db;

	assert_int_equal(db_connect_role(&db, &conf, role), 0);
	assert_null(db_query(&db, "42501", query, 0, NULL));
	assert_string_equal(db.sqlstate, "42501");	/* insufficient_privilege */
	db_close(&db);
}

static void
allowed(const char *role, const char *query)
{
	struct db	 db;
	PGresult	*res;

	assert_int_equal(db_connect_role(&db, &conf, role), 0);
	res = db_query(&db, NULL, query, 0, NULL);
	assert_non_null(res);
	PQclear(res);
	db_close(&db);
}

static void
test_privileges(void **state)
{
	static const char *const roles[] = { "muhur_load", "muhur_directory", "muhur_reconcile", "muhur_admin" };
	static const char *const tables[] = { "identity", "request", "awaited", "key" };
	char		*q;
	size_t		 i, k;

	(void)state;
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		for (k = 0; k < sizeof(tables) / sizeof(tables[0]); k++) {
			q = xasprintf("SELECT FROM muhur_identity.%s", tables[k]);
			denied(roles[i], q);
			free(q);
		}
		denied(roles[i], "SELECT muhur_identity.show('0000000001', '" NOW "')");
		denied(roles[i], "SELECT muhur_identity.ask('" NOW "', '" NOW "', 1)");
		denied(roles[i], "SELECT muhur_identity.answer(1, 1, 'accepted', '', '" NOW "')");
		if (i > 0)
			denied(roles[i], "SELECT muhur_identity.register(1, '" NOW "', false, '')");
	}
	/* of all roles that may log in, one; whoever owns the database may do everything */
	q = text("SELECT string_agg(rolname, ',') FROM pg_roles WHERE NOT rolsuper AND rolcanlogin"
	    " AND has_table_privilege(oid, 'muhur_identity.identity', 'SELECT')");
	assert_string_equal(q, "muhur_identity");
	free(q);
	/* nobody works past the functions */
	denied("muhur_load", "INSERT INTO muhur_identity.request (business_date, submission, member_code, record_no,"
	    " line, identity_hash, digits_ok, state) VALUES ('" DAY "', 1, 'PLA', 1, 1, '', true, 'accepted')");
	denied("muhur_load", "INSERT INTO muhur.registry_number VALUES ('0000000009', '" DAY "')");
	denied("muhur_load", "SELECT muhur_identity.new_numbers(1)");
	denied("muhur_identity", "UPDATE muhur_identity.identity SET name = ''");
	denied("muhur_identity", "SELECT muhur_identity.publish('" NOW "')");
	denied("muhur_identity", "SELECT FROM muhur_identity.key");
	/* whoever reads persons reads no balances */
	denied("muhur_identity", "SELECT FROM muhur.balance");
	denied("muhur_identity", "SELECT FROM muhur.submission");
	allowed("muhur_identity", "SELECT FROM muhur_identity.identity");
	allowed("muhur_load", "SELECT FROM muhur.registry_number");
	allowed("muhur_reconcile", "SELECT FROM muhur.registry_number");
	allowed("muhur_admin", "SELECT FROM muhur.registry_number");
}

/* The key is a secret file; a repeated `muhur db init' leaves it. */
static void
test_key_file(void **state)
{
	char	*path = xasprintf("%s/identity.key", conf.secrets_dir), *first, *again;
	size_t	 len;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(file_read_all(path, 1000, &first, &len), 0);
	assert_int_equal(len, 65);		/* 32 bytes in hexadecimal, a line end */
	assert_int_equal(registration_key(first), 0);
	assert_int_equal(admin_create(&conf), 0);
	assert_int_equal(file_read_all(path, 1000, &again, &len), 0);
	assert_string_equal(first, again);
	free(first);
	free(again);
	free(path);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_check_digit),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_other_members),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_key_file),
	};

	(void)argc;
	pgtest_begin(argv);
	log_init("test_registration", LOG_COMMAND, 0);
	clock_init(0);
	pgtest_conf(&conf);
	return cmocka_run_group_tests(tests, registry_open, registry_close);
}
