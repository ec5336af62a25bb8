/* SPDX-License-Identifier: ISC */
/* Downloads that wait for a directory which does not come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "msg/proto.h"
#include "muhurd/fetch.h"

static struct conf conf;
static struct gateway gw = { .conf = &conf };

/* One user opens a notice, reads all of it and closes it. */
static void
fetch(const char *user)
{
	struct m_box_fetched all = { { .v = { { 0, 100 } }, .n = 1 } };
	struct msg m = { .type = M_BOX_FETCHED, .tag = 7 };
	struct fetch_list open = { 0 };
	struct buf b = { 0 };

	fetch_opened(&open, 7, "SPK", "a.xml", 100);
	put_m_box_fetched(&b, &all);
	m.payload = (const uint8_t *)b.data;
	m.len = b.len;
	assert_int_equal(fetch_closed(&gw, &open, user, &m), 0);
	assert_int_equal(open.n, 0);
	buf_free(&b);
}

/* One member's users do not fill it, all together do. */
static void
bounded(void **state)
{
	char user[USER_CODE_SIZE];
	int i;

	(void)state;
	for (i = 0; i < FETCHES_OF_MEMBER + 10; i++)
		fetch(i % 2 == 0 ? "PLA001" : "PLA900");
	assert_int_equal(fetches_waiting(&gw), FETCHES_OF_MEMBER);
	fetch("PLB001");
	assert_int_equal(fetches_waiting(&gw), FETCHES_OF_MEMBER + 1);
	for (i = 0; i < FETCHES_KEPT; i++) {
		(void)snprintf(user, sizeof(user), "M%02d001", i % 20);
		fetch(user);
	}
	assert_int_equal(fetches_waiting(&gw), FETCHES_KEPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bounded) };
	int rc;

	log_init("test_fetch", LOG_COMMAND, 0);
	gw.children = children_new(&gw);
	gw.fetches = fetches_new(&gw);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fetches_free(gw.fetches);
	children_free(gw.children);
	return rc;
}
