/* SPDX-License-Identifier: ISC */
/* Written extents, against a map of bytes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sftp/handle.h"

#define SIZE 200

/* The extents say of every byte what the map says, and are in order. */
static void
same(const struct extents *x, const uint8_t map[SIZE])
{
	uint8_t mine[SIZE] = { 0 };
	uint64_t prefix = 0;
	int i;

	for (i = 0; i < x->n; i++) {
		assert_true(x->e[i].from < x->e[i].to);
		if (i > 0)
			assert_true(x->e[i - 1].to < x->e[i].from);
		memset(mine + x->e[i].from, 1, x->e[i].to - x->e[i].from);
	}
	assert_memory_equal(mine, map, SIZE);
	while (prefix < SIZE && map[prefix])
		prefix++;
	assert_int_equal(extents_prefix(x), prefix);
	assert_int_equal(extents_have_gap(x, SIZE), prefix != SIZE);
}

static void
random_writes(void **state)
{
	struct extents x;
	uint8_t map[SIZE];
	int round, i, from, to;

	(void)state;
	srandom(20261121);
	for (round = 0; round < 500; round++) {
		memset(&x, 0, sizeof(x));
		memset(map, 0, sizeof(map));
		for (i = 0; i < 40; i++) {
			from = (int)(random() % SIZE);
			to = from + (int)(random() % 20);
			if (to > SIZE)
				to = SIZE;
			assert_int_equal(extents_add(&x, (uint64_t)from, (uint64_t)to), 0);
			if (to > from)
				memset(map + from, 1, (size_t)(to - from));
			if (i % 10 == 9) {
				from = (int)(random() % SIZE);
				extents_clip(&x, (uint64_t)from);
				memset(map + from, 0, (size_t)(SIZE - from));
			}
			same(&x, map);
		}
	}
}

static void
too_many_gaps(void **state)
{
	struct extents x = { .n = 0 };
	uint64_t i;

	(void)state;
	for (i = 0; i < SFTP_MAX_EXTENTS; i++)
		assert_int_equal(extents_add(&x, 2 * i, 2 * i + 1), 0);
	assert_int_equal(extents_add(&x, 10000, 10001), -1);
	assert_int_equal(extents_add(&x, 1, 2), 0);	/* one gap less */
	assert_int_equal(x.n, SFTP_MAX_EXTENTS - 1);
	assert_int_equal(extents_add(&x, 0, 20000), 0);
	assert_int_equal(x.n, 1);
	assert_int_equal(extents_have_gap(&x, 20000), 0);
}

static void
numbers(void **state)
{
	struct vpath v = { .kind = VP_OUTBOX };
	struct handles hs;
	struct handle *h = NULL;
	int i;

	(void)state;
	handles_init(&hs);
	for (i = 0; i < SFTP_MAX_HANDLES; i++) {
		assert_false(handles_full(&hs));
		h = handle_new(&hs, H_LISTING, &v);
		assert_non_null(h);
		assert_ptr_equal(handle_get(&hs, h->number), h);
	}
	assert_true(handles_full(&hs));
	assert_null(handle_new(&hs, H_LISTING, &v));
	handle_free(h);
	assert_false(handles_full(&hs));
	assert_null(handle_get(&hs, SFTP_MAX_HANDLES - 1));
	assert_null(handle_get(&hs, -1));
	assert_null(handle_get(&hs, SFTP_MAX_HANDLES));
	assert_ptr_equal(handle_new(&hs, H_UPLOAD, &v), h);
	assert_ptr_equal(handle_upload(&hs, ""), h);
	handle_free(h);
	assert_null(handle_upload(&hs, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_writes),
		cmocka_unit_test(too_many_gaps),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
