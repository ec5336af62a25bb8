/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "archive/material.h"
#include "store.h"

/* SHA-256 of "abc" and of "" (FIPS 180-2; RFC 6234). */
#define ABC	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What was made durable: calls of the code under test come by here (--wrap). */
static ino_t	synced[64];
static unsigned	nsynced;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	synced[nsynced++ % 64] = st.st_ino;
	return __real_fsync(fd);
}

/* A shelf is muhurd's too, and never is not: a kill may come at any moment. */
int __real_mkdirat(int at, const char *name, mode_t mode);
int __wrap_mkdirat(int at, const char *name, mode_t mode);
int
__wrap_mkdirat(int at, const char *name, mode_t mode)
{
	struct stat st;
	int rc = __real_mkdirat(at, name, mode);

	if (rc == 0 && at == store) {
		assert_int_equal(fstatat(at, name, &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0770);
	}
	return rc;
}

static void
is_synced(const char *path)
{
	struct stat st;
	unsigned i;

	assert_int_equal(fstatat(store, path, &st, 0), 0);
	for (i = 0; i < nsynced && synced[i] != st.st_ino; i++)
		;
	assert_true(i < nsynced);
}

static char	schema_dir[] = "/tmp/muhur-schemas.XXXXXX";
static int	schemas = -1;

static int
setup(void **state)
{
	(void)memcpy(schema_dir + strlen(schema_dir) - 6, "XXXXXX", 6);
	if (store_setup(state) == -1 || mkdtemp(schema_dir) == NULL ||
	    (schemas = open(schema_dir, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	return file_write_durable(schemas, "b.xsd", "", 0, 0440) |
	    file_write_durable(schemas, "a.xsd", "abc", 3, 0440) |
	    file_write_durable(schemas, "a.txt", "no schema", 9, 0440);
}

static int
teardown(void **state)
{
	char cmd[64];

	(void)close(schemas);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", schema_dir);
	return system(cmd) | store_teardown(state);
}

static int
give(struct keeper *k, uint32_t tag, unsigned slot, const char *text)
{
	struct m_material x = { .slot = slot, .last = text == NULL };
	struct buf b = { 0 };
	struct msg m = { .type = M_MATERIAL, .tag = tag, .nfds = text != NULL };
	int rc;

	if (text != NULL) {
		m.fds[0] = memfd_create("x", 0);
		assert_int_equal(write_full(m.fds[0], text, strlen(text)), 0);
	}
	put_m_material(&b, &x);
	m.payload = (const uint8_t *)b.data;
	m.len = b.len;
	rc = keeper_take(k, &m);
	msg_close_fds(&m);
	buf_free(&b);
	return rc;
}

static void
test_listing(void **state)
{
	static const char want[] =
	    ABC "  anchors.pem\n"
	    EMPTY "  crls.pem\n"
	    ABC "  schemas/a.xsd\n"
	    EMPTY "  schemas/b.xsd\n";
	struct keeper *k = keeper_new(store, schemas);
	struct material *m = material_new();
	struct m_document done = { 0 };
	char id[SHA256_HEX_SIZE], got[1024];
	const char *listing;
	struct depot_file *f;
	uint32_t tag = 0;
	size_t len;

	(void)state;
	/* the same as verify works it out, in another order */
	material_add(m, "schemas/b.xsd", "", 0, NULL);
	material_add(m, "schemas/a.xsd", "abc", 3, NULL);
	material_add(m, "schemas/a.xsd", "abc", 3, NULL);
	material_add(m, material_name(MATERIAL_CRLS, got), "", 0, NULL);
	material_add(m, material_name(MATERIAL_ANCHORS, got), "abc", 3, NULL);
	assert_int_equal(material_end(m, id, &listing, &len), 0);
	assert_string_equal(listing, want);

	assert_int_equal(give(k, 7, MATERIAL_CRLS, ""), 0);
	assert_int_equal(give(k, 7, MATERIAL_ANCHORS, "abc"), 0);
	assert_int_equal(keeper_step(k, 1, &tag, &done), 0);	/* not whole yet */
	assert_int_equal(give(k, 7, 0, NULL), 0);
	assert_int_equal(keeper_step(k, 1, &tag, &done), 1);
	assert_int_equal(tag, 7);
	assert_string_equal(done.sha256, id);
	assert_int_equal(depot_check(store, id, NULL), DEPOT_GOOD);
	assert_int_equal(depot_check(store, ABC, NULL), DEPOT_GOOD);
	assert_int_equal(depot_check(store, EMPTY, NULL), DEPOT_GOOD);
	f = depot_open(store, id);
	assert_int_equal(depot_read(f, got, sizeof(got)), strlen(want));
	assert_memory_equal(got, want, strlen(want));
	depot_close(f);
	material_free(m);
	keeper_free(k);
}

/* What is there is left alone where it is good, and made good where it is not. */
static void
test_again(void **state)
{
	struct keeper *k = keeper_new(store, schemas);
	struct m_document done;
	uint32_t tag;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(give(k, 1, MATERIAL_ANCHORS, "abc"), 0);
		assert_int_equal(give(k, 1, 0, NULL), 0);
		if (i == 1)
			put_document(ABC, "", "abd", 3);
		nsynced = 0;
		assert_int_equal(keeper_step(k, 1, &tag, &done), 1);
		assert_int_equal(depot_check(store, ABC, NULL), DEPOT_GOOD);
		/* a good one, too: who put it there may have been killed just then */
		is_synced(".");
		is_synced("ba");
	}
	keeper_free(k);
}

/* No place for it: it is tried again later, and the order stays. */
static void
test_trouble(void **state)
{
	struct keeper *k = keeper_new(store, schemas);
	struct m_document done;
	uint32_t tag;

	(void)state;
	assert_int_equal(file_write_durable(store, "ba", "no folder", 9, 0440), 0);
	assert_int_equal(give(k, 1, MATERIAL_ANCHORS, "abc"), 0);
	assert_int_equal(give(k, 1, 0, NULL), 0);
	assert_int_equal(give(k, 2, MATERIAL_ANCHORS, ""), 0);
	assert_int_equal(give(k, 2, 0, NULL), 0);
	assert_int_equal(keeper_step(k, 1, &tag, &done), 0);
	assert_true(keeper_due(k) > 1);
	assert_int_equal(keeper_step(k, 1, &tag, &done), 0);
	assert_int_equal(unlinkat(store, "ba", 0), 0);
	assert_int_equal(keeper_step(k, keeper_due(k), &tag, &done), 1);
	assert_int_equal(tag, 1);
	assert_int_equal(keeper_step(k, keeper_due(k), &tag, &done), 1);
	assert_int_equal(tag, 2);
	assert_int_equal(keeper_due(k), INT64_MAX);
	keeper_free(k);
}

static void
test_broken_peer(void **state)
{
	struct keeper *k = keeper_new(store, schemas);

	(void)state;
	assert_int_equal(give(k, 1, MATERIAL_SLOTS, "x"), -1);
	assert_int_equal(give(k, 1, MATERIAL_ANCHORS, "x"), 0);
	assert_int_equal(give(k, 1, MATERIAL_ANCHORS, "x"), -1);	/* twice */
	assert_int_equal(give(k, 2, MATERIAL_CRL, "x"), -1);		/* between another's */
	keeper_free(k);
}

static int
count(void *arg, const char *sha256, const char *name)
{
	(void)sha256;
	(void)name;
	++*(int *)arg;
	return 0;
}

static void
test_no_listing(void **state)
{
	static const char *const bad[] = { "x", ABC, ABC "\n", ABC "  \n", ABC " *a\n", ABC "  a",
	    ABC "  a\n" ABC "\n", "Xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n" };
	int n = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(material_each(bad[i], strlen(bad[i]), count, &n), -1);
	n = 0;
	assert_int_equal(material_each(ABC "  a\n" EMPTY "  b c\n", 2 * 66 + 6, count, &n), 0);
	assert_int_equal(n, 2);
}

static void
test_two_contents(void **state)
{
	struct material *m = material_new();
	char id[SHA256_HEX_SIZE];

	(void)state;
	material_add(m, "a", "x", 1, NULL);
	material_add(m, "a", "y", 1, NULL);
	assert_int_equal(material_end(m, id, NULL, NULL), -1);
	material_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trouble, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_peer, setup, teardown),
		cmocka_unit_test(test_no_listing),
		cmocka_unit_test(test_two_contents),
	};

	(void)umask(027);	/* as the process's */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
