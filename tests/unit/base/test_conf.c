/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/conf.h"
#include "base/fdio.h"

static struct conf *
load_text(const char *text)
{
	struct conf *conf;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, "/base/dir", sizeof("/base/dir")), 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	conf = conf_load_fd(fd);
	(void)close(fd);
	return conf;
}

static void
test_defaults(void **state)
{
	struct conf *conf = load_text("");
	int i;

	(void)state;
	assert_non_null(conf);
	assert_null(conf->path);
	assert_int_equal(conf->sandbox, 1);
	assert_int_equal(conf->cutoff_hour, 12);
	assert_int_equal(conf->cutoff_minute, 0);
	assert_int_equal(conf->signing_time_past, 48 * 3600);
	assert_int_equal(conf->signing_time_future, 5 * 60);
	assert_int_equal(conf->outbox_retention, 7 * 24 * 3600);
	assert_int_equal(conf->archive_rehash_rate, 4 * 1024 * 1024);
	assert_int_equal(conf->archive_compress_after, 0);
	assert_int_equal(conf->fetch_within, 24 * 3600);
	assert_int_equal(conf->clock_settle, 10 * 60);
	assert_int_equal(conf->sent_listing, 10 * 60);
	assert_int_equal(conf->signature_profile, PROFILE_XADES);
	assert_int_equal(conf->nsignature_policies, SIGNATURE_POLICIES_DEFAULT);
	assert_memory_equal(conf->signature_policies, signature_policies_default,
	    sizeof(signature_policies_default));
	assert_int_equal(conf->require_crl, 1);
	assert_null(conf->tsa_anchors);
	assert_null(conf->tsa_url);
	assert_int_equal(conf->tsa_timeout, 30);
	assert_null(conf->crl_dir);
	assert_int_equal(conf->ncrl_urls, 0);
	assert_int_equal(conf->crl_grace, 0);
	assert_int_equal(conf->identity_check.n, 0);
	assert_int_equal(conf->identity_check_timeout, 60);
	assert_null(conf->trail_key);
	assert_string_equal(conf->trail_origin, "muhur.invalid/trail");
	assert_int_equal(conf->trail_checkpoint_interval, 10);
	assert_int_equal(conf->trail_stamp_alarm, 3600);
	assert_true(conf->workers >= 2);
	assert_int_equal(conf->document_timeout, 60);
	assert_int_equal(conf->own_table_records, 1000000);
	for (i = 0; i < ROLE_COUNT; i++)
		assert_string_equal(conf->user[i], "");
	conf_free(conf);
}

static void
test_values(void **state)
{
	struct conf *conf = load_text(
	    "# comment\n"
	    "state_dir = state\n"
	    "host_key = \"/abs/key\"\n"
	    "tsa_anchors = \"pki/tsa.pem\"\n"
	    "tsa_url = \"http://tsa.example/\"\n"
	    "tsa_timeout = 5\n"
	    "users { muhurd = root session = 59902 }\n"
	    "sandbox = false\n"
	    "clock_offset = -604800\n"
	    "max_document_size = 4G\n"
	    "inbox_quota = 12345\n"
	    "cutoff = \"09:30\"\n"
	    "signature_profile = xmldsig\n"
	    "trust custodian { anchors = \"c.pem\" policies = {\"1.2.3\", \"2.16.792.1\"} }\n"
	    "trust registry { }\n"
	    "trust_anchors = all.pem\n"
	    "crl_dir = lists\n"
	    "crl_urls = {\"http://a.example/x.crl\", \"file:///y.crl\"}\n"
	    "crl_grace = 3600\n"
	    "crl_max_size = 64K\n"
	    "identity_check = {\"bin/check\", \"people of ours.tsv\"}\n"
	    "own_table_records = 3000000000\n"
	    "workers = 3\n"
	    "workers = 5\n");

	(void)state;
	assert_non_null(conf);
	assert_string_equal(conf->state_dir, "/base/dir/state");
	assert_string_equal(conf->host_key, "/abs/key");
	assert_string_equal(conf->tsa_anchors, "/base/dir/pki/tsa.pem");
	assert_string_equal(conf->tsa_url, "http://tsa.example/");
	assert_int_equal(conf->tsa_timeout, 5);
	assert_string_equal(conf->user[ROLE_MUHURD], "root");
	assert_string_equal(conf->user[ROLE_SESSION], "59902");
	assert_string_equal(conf->user[ROLE_VERIFY], "");
	assert_int_equal(conf->sandbox, 0);
	assert_int_equal(conf->clock_offset, -604800);
	assert_int_equal(conf->max_document_size, INT64_C(4) << 30);
	assert_int_equal(conf->inbox_quota, 12345);
	assert_int_equal(conf->cutoff_hour, 9);
	assert_int_equal(conf->cutoff_minute, 30);
	assert_int_equal(conf->signature_profile, PROFILE_XMLDSIG);
	assert_int_equal(conf->trust[MEMBER_PLATFORM].set, 0);
	assert_int_equal(conf->trust[MEMBER_CUSTODIAN].set, 1);
	assert_string_equal(conf->trust[MEMBER_CUSTODIAN].anchors, "/base/dir/c.pem");
	assert_int_equal(conf->trust[MEMBER_CUSTODIAN].npolicies, 2);
	assert_string_equal(conf->trust[MEMBER_CUSTODIAN].policies[1], "2.16.792.1");
	assert_string_equal(conf->trust[MEMBER_REGISTRY].anchors, "/base/dir/all.pem");
	assert_int_equal(conf->trust[MEMBER_REGISTRY].npolicies, 0);
	assert_string_equal(conf->crl_dir, "/base/dir/lists");
	assert_int_equal(conf->ncrl_urls, 2);
	assert_string_equal(conf->crl_urls[0], "http://a.example/x.crl");
	assert_string_equal(conf->crl_urls[1], "file:///y.crl");
	assert_int_equal(conf->crl_grace, 3600);
	assert_int_equal(conf->crl_max_size, 65536);
	assert_int_equal(conf->identity_check.n, 2);
	assert_string_equal(conf->identity_check.v[0], "/base/dir/bin/check");
	assert_string_equal(conf->identity_check.v[1], "people of ours.tsv");
	assert_null(conf->identity_check.v[2]);
	assert_true(conf->own_table_records == INT64_C(3000000000));
	assert_int_equal(conf->workers, 5);	/* the later one counts */
	conf_free(conf);
}

static void
test_policies(void **state)
{
	struct conf *conf = load_text("signature_policies = {\"1.2.3\", 2.0.4294967296 ,"
	    "\"1.2.3=sha256:00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff0001\"}\n");

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf->nsignature_policies, 3);
	assert_string_equal(conf->signature_policies[0].oid, "1.2.3");
	assert_int_equal(conf->signature_policies[0].len, 0);
	assert_string_equal(conf->signature_policies[1].oid, "2.0.4294967296");
	assert_string_equal(conf->signature_policies[2].oid, "1.2.3");
	assert_int_equal(conf->signature_policies[2].len, 32);
	assert_int_equal(conf->signature_policies[2].digest[3], 0xff);
	assert_int_equal(conf->signature_policies[2].digest[31], 1);
	conf_free(conf);
	conf = load_text("signature_policies = {}\n");
	assert_non_null(conf);
	assert_int_equal(conf->nsignature_policies, 0);
	conf_free(conf);
}

/* The cut-off of day D is a time of day in Istanbul, UTC+3, on D+1 (contract). */
static void
test_cutoffs(void **state)
{
	struct conf *conf = load_text("cutoff = \"11:15\"\n"
	    "cutoff_types = {\"CustodyReport=10:00\", \"HoldingReport=00:30\"}\n");
	char buf[TIME_SIZE];
	date_t d;

	(void)state;
	clock_init(0);
	assert_non_null(conf);
	assert_int_equal(conf->ncutoffs, 2);
	assert_int_equal(date_parse("2026-11-20", &d), 0);
	time_format(conf_cutoff(conf, "CustodyReport", d), buf);
	assert_string_equal(buf, "2026-11-21T07:00:00.000000Z");
	time_format(conf_cutoff(conf, "HoldingReport", d), buf);
	assert_string_equal(buf, "2026-11-20T21:30:00.000000Z");
	time_format(conf_cutoff(conf, "BalanceReport", d), buf);
	assert_string_equal(buf, "2026-11-21T08:15:00.000000Z");
	assert_true(conf_cutoff(conf, NULL, d) == conf_cutoff(conf, "BalanceReport", d));
	conf_free(conf);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"unknown_setting = 1\n", "listen_port = 65536\n", "listen_port = -1\n",
		"listen_port = abc\n", "workers = 1\n", "document_timeout = 0\n", "cutoff = \"24:00\"\n", "own_table_records = -1\n",
		"cutoff = \"9:00\"\n", "cutoff = \"09:60\"\n", "cutoff = \"09:000\"\n",
		"cutoff_types = {\"CustodyReport\"}\n", "cutoff_types = {\"CustodyReport=\"}\n",
		"cutoff_types = {\"=10:00\"}\n", "cutoff_types = {\"CustodyReport=24:00\"}\n",
		"cutoff_types = {\"CustodyReport=10:00\", \"CustodyReport=11:00\"}\n",
		"cutoff_types = {\"ATypeWhoseNameIsLongerThanAnyOther=10:00\"}\n",
		"signature_profile = pgp\n", "max_document_size = 1X\n",
		"max_document_size = 99999999T\n", "max_document_size = -5\n",
		"inbox_quota = \"\"\n", "state_dir = \"\"\n", "users { nobody = 1 }\n",
		"signature_policies = {\"\"}\n", "signature_policies = {\"1\"}\n",
		"signature_policies = {\"urn:oid:1.2\"}\n", "signature_policies = {\"1.02\"}\n",
		"signature_policies = {\"1.2.\"}\n", "signature_policies = {\"1..2\"}\n",
		"signature_policies = {\"1.2=sha256:00\"}\n", "signature_policies = {\"1.2=\"}\n",
		"signature_policies = {\"1.2=sha1:0000000000000000000000000000000000000000\"}\n",
		"signature_policies = {\"1.111111111111111111111111111111111111111111111111111111111111111111\"}\n",
		("signature_policies = {\"1.2=sha256:"
		    "0g00000000000000000000000000000000000000000000000000000000000000\"}\n"),
		"sandbox = perhaps\n", "db_port = 0\n", "crl_grace = -1\n", "crl_max_size = 1G\n",
		"identity_check = \"\"\n", "identity_check_timeout = 0\n",
		"trust bank { }\n", "trust unknown { }\n", "trust platform { }\ntrust platform { }\n",
		"trust platform { policies = {\"1\"} }\n", "trust platform { policies = {\"1..2\"} }\n",
		"trust platform { policies = {\"1.2.\"} }\n", "trust platform { policies = {\"a.b\"} }\n",
		/* fetched to nowhere */
		"crl_urls = {\"http://a.example/x.crl\"}\n", "crl_distribution_points = true\n",
		"outbox_retention = 0\n", "archive_rehash_rate = \"1K\"\n", "archive_compress_after = -1\n", "max_sessions = 99999999999999999999\n",
		"trail_checkpoint_interval = 61\n", "trail_checkpoint_interval = 0\n", "trail_origin = \"\"\n",
		"trail_origin = \"two words\"\n", "trail_origin = \"a+b\"\n",
	};
	size_t i;
	pid_t pid;
	int status;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(load_text(bad[i]));
	/* in a process of its own: libconfuse's scanner does not recover */
	if ((pid = fork()) == 0)
		_exit(load_text("state_dir = \n") == NULL ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define TOKEN	"signing_key = \"pkcs11:token=t;object=k\"\nsigning_module = m.so\n"

static void
test_token(void **state)
{
	static const char *const bad[] = {
		"signing_key = \"pkcs11:token=t\"\n",		/* by which module? */
		"signing_key = \"pkcs11:token=t?pin-value=1234\"\nsigning_module = m.so\n",
		"signing_key = \"pkcs11:token=t?pin-source=file:/p\"\nsigning_module = m.so\n",
		"signing_key = \"pkcs11:token=t?module-path=/m.so\"\nsigning_module = m.so\n",
		TOKEN "signing_module_may = { exec }\n", TOKEN "signing_module_env = { NAME }\n",
	};
	struct conf *conf = load_text(TOKEN "signing_module_read = { \"/etc/x\", y }\n"
	    "signing_module_may = { unix, thread }\nsigning_module_env = { \"A=b c\" }\n"
	    "signing_pin_file = pin\n");
	size_t i;

	(void)state;
	assert_non_null(conf);
	assert_int_equal(conf->signing_token, 1);
	assert_string_equal(conf->signing_key, "pkcs11:token=t;object=k");	/* no path */
	assert_string_equal(conf->signing_module, "/base/dir/m.so");
	assert_string_equal(conf->signing_pin_file, "/base/dir/pin");
	assert_int_equal(conf->signing_module_read.n, 2);
	assert_string_equal(conf->signing_module_read.v[0], "/etc/x");
	assert_string_equal(conf->signing_module_read.v[1], "/base/dir/y");
	assert_int_equal(conf->signing_module_write.n, 0);
	assert_string_equal(conf->signing_module_env.v[0], "A=b c");
	assert_int_equal(conf->signing_module_unix, 1);
	assert_int_equal(conf->signing_module_thread, 1);
	conf_free(conf);
	conf = load_text(TOKEN);
	assert_non_null(conf);
	assert_null(conf->signing_pin_file);
	assert_int_equal(conf->signing_module_unix, 0);
	conf_free(conf);
	/* a PEM key has none of it */
	conf = load_text("signing_key = k.pem\nsigning_module = m.so\nsigning_pin_file = pin\n");
	assert_non_null(conf);
	assert_int_equal(conf->signing_token, 0);
	assert_null(conf->signing_module);
	assert_null(conf->signing_pin_file);
	conf_free(conf);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(load_text(bad[i]));
}

static void
test_file(void **state)
{
	char dir[] = "/tmp/muhur-conf.XXXXXX", path[64], want[96];
	struct conf *conf;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/muhur.conf", dir);
	assert_null(conf_load(path));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, "db_host = sock\n", 15), 0);
	(void)close(fd);
	conf = conf_load(path);
	assert_non_null(conf);
	assert_string_equal(conf->path, path);
	(void)snprintf(want, sizeof(want), "%s/sock", dir);
	assert_string_equal(conf->db_host, want);
	/* handed on it stays what it was, whatever becomes of the file */
	assert_int_equal(truncate(path, 0), 0);
	fd = fd_sealed("conf", conf->text.data, conf->text.len);
	assert_true(fd >= 0);
	conf_free(conf);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	conf = conf_load_fd(fd);
	assert_non_null(conf);
	assert_string_equal(conf->db_host, want);
	conf_free(conf);
	(void)close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(write_full(fd, "db_host = sock\n", 15), 0);
	conf = conf_load_fd(fd);
	assert_non_null(conf);
	assert_string_equal(conf->db_host, "/sock");
	conf_free(conf);
	(void)close(fd);
	(void)unlink(path);
	(void)rmdir(dir);
	assert_int_equal(setenv("MUHUR_CONF", "/x/y", 1), 0);
	assert_string_equal(conf_default_path(), "/x/y");
}

/* The file that is installed says what the program does without one. */
static void
test_shipped(void **state)
{
	const char *top = getenv("srcdir");
	char path[4096];
	struct conf *conf, *def = load_text("");

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/etc/muhur.conf", top == NULL ? "." : top);
	conf = conf_load(path);
	assert_non_null(conf);
	assert_string_equal(conf->state_dir, def->state_dir);
	assert_string_equal(conf->db_name, def->db_name);
	assert_int_equal(conf->listen_port, def->listen_port);
	assert_int_equal(conf->max_document_size, def->max_document_size);
	conf_free(conf);
	conf_free(def);
}

static void
test_roles(void **state)
{
	(void)state;
	assert_string_equal(role_name(ROLE_MUHURD), "muhurd");
	assert_string_equal(role_name(ROLE_ARCHIVE), "archive");
	assert_string_equal(role_name(ROLE_COUNT), "unknown");
	assert_string_equal(member_kind_name(MEMBER_CUSTODIAN), "custodian");
	assert_int_equal(member_kind_by_name("registry"), MEMBER_REGISTRY);
	assert_int_equal(member_kind_by_name("unknown"), MEMBER_UNKNOWN);
	assert_int_equal(member_kind_by_name("bank"), MEMBER_UNKNOWN);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_cutoffs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
