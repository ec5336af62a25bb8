/* SPDX-License-Identifier: ISC */
/* Trees against the RFC's recursive words, and the vectors of certificate
 * transparency's own tests. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "trail/merkle.h"

#define LEAVES	300

static struct hash leaves[LEAVES];	/* hashes */

static void
same(const struct hash *a, const struct hash *b, const char *what)
{
	if (memcmp(a->b, b->b, SHA256_SIZE) != 0)
		fail_msg("%s: another hash", what);
}

/* RFC 9162 2.1.1, word by word. */
static void
naive_root(size_t from, size_t n, struct hash *out)
{
	struct hash left, right;
	size_t k = 1;

	if (n == 0) {
		merkle_empty(out);
		return;
	}
	if (n == 1) {
		*out = leaves[from];
		return;
	}
	while (2 * k < n)
		k *= 2;
	naive_root(from, k, &left);
	naive_root(from + k, n - k, &right);
	merkle_node(&left, &right, out);
}

/* RFC 9162 2.1.3.1 */
static void
naive_path(size_t m, size_t from, size_t n, struct proof *p)
{
	size_t k = 1;

	if (n == 1)
		return;
	while (2 * k < n)
		k *= 2;
	if (m < k) {
		naive_path(m, from, k, p);
		naive_root(from + k, n - k, &p->v[p->n++]);
	} else {
		naive_path(m - k, from + k, n - k, p);
		naive_root(from, k, &p->v[p->n++]);
	}
}

/* RFC 9162 2.1.4.1 */
static void
naive_subproof(size_t m, size_t from, size_t n, int whole, struct proof *p)
{
	size_t k = 1;

	if (m == n) {
		if (!whole)
			naive_root(from, n, &p->v[p->n++]);
		return;
	}
	while (2 * k < n)
		k *= 2;
	if (m <= k) {
		naive_subproof(m, from, k, whole, p);
		naive_root(from + k, n - k, &p->v[p->n++]);
	} else {
		naive_subproof(m - k, from + k, n - k, 0, p);
		naive_root(from, k, &p->v[p->n++]);
	}
}

/* Only what a tree of *arg leaves has whole. */
static int
get(void *arg, unsigned level, uint64_t index, struct hash *out)
{
	size_t size = *(size_t *)arg;

	if (level > 8 || (index + 1) << level > size)
		fail_msg("asks for subtree %llu of level %u in a tree of %zu", (unsigned long long)index,
		    level, size);
	naive_root((size_t)index << level, (size_t)1 << level, out);
	return 0;
}

static int
setup(void **state)
{
	char text[16];
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < LEAVES; i++) {
		n = snprintf(text, sizeof(text), "leaf %zu", i);
		merkle_leaf(text, (size_t)n, &leaves[i]);
	}
	return 0;
}

/* The tree of 8 leaves that implementations of RFC 6962 are tried with. */
static void
test_vectors(void **state)
{
	static const struct { const char *data; size_t len; } in[8] = {
		{ "", 0 }, { "\x00", 1 }, { "\x10", 1 }, { "\x20\x21", 2 }, { "\x30\x31", 2 },
		{ "\x40\x41\x42\x43", 4 }, { "\x50\x51\x52\x53\x54\x55\x56\x57", 8 },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16 },
	};
	static const char *const roots[9] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct frontier f = { 0 };
	struct hash h;
	char hex[SHA256_HEX_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i <= 8; i++) {
		frontier_root(&f, &h);
		hex_encode(h.b, SHA256_SIZE, hex);
		assert_string_equal(hex, roots[i]);
		if (i == 8)
			break;
		merkle_leaf(in[i].data, in[i].len, &h);
		frontier_append(&f, &h);
	}
}

static void
test_frontier(void **state)
{
	struct frontier f = { 0 }, loaded;
	struct hash a, b;
	size_t n;

	(void)state;
	for (n = 0; n <= LEAVES; n++) {
		frontier_root(&f, &a);
		naive_root(0, n, &b);
		same(&a, &b, "root");
		merkle_whole(leaves, n, &b);
		same(&a, &b, "whole");
		assert_int_equal(f.n, __builtin_popcountll(n));
		assert_int_equal(frontier_load(&loaded, n, get, &n), 0);
		assert_int_equal(loaded.size, f.size);
		assert_int_equal(loaded.n, f.n);
		assert_memory_equal(loaded.node, f.node, f.n * sizeof(f.node[0]));
		if (n < LEAVES)
			frontier_append(&f, &leaves[n]);
	}
}

static void
proof_equal(const struct proof *a, const struct proof *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->v, b->v, a->n * sizeof(a->v[0]));
}

/* Each way to be wrong by one: it must not hold. */
static void
damage_inclusion(size_t i, size_t n, const struct proof *p, const struct hash *root)
{
	struct proof bad = *p;
	struct hash other = leaves[i];
	size_t k = (i * 7 + n) % (p->n > 0 ? p->n : 1);

	other.b[n % SHA256_SIZE] ^= 1;
	assert_false(merkle_verify_inclusion(i, n, &other, p, root));
	other = *root;
	other.b[i % SHA256_SIZE] ^= 0x80;
	assert_false(merkle_verify_inclusion(i, n, &leaves[i], p, &other));
	assert_false(merkle_verify_inclusion(n, n, &leaves[i], p, root));
	if (i > 0)
		assert_false(merkle_verify_inclusion(i - 1, n, &leaves[i], p, root));
	if (p->n > 0) {
		bad.v[k].b[0] ^= 1;
		assert_false(merkle_verify_inclusion(i, n, &leaves[i], &bad, root));
		bad = *p;
		bad.n--;
		assert_false(merkle_verify_inclusion(i, n, &leaves[i], &bad, root));
	}
	bad = *p;
	bad.v[bad.n++] = *root;
	assert_false(merkle_verify_inclusion(i, n, &leaves[i], &bad, root));
}

static void
test_inclusion(void **state)
{
	struct proof p, want;
	struct hash root;
	size_t i, n;

	(void)state;
	for (n = 1; n <= LEAVES; n++) {
		naive_root(0, n, &root);
		for (i = 0; i < n; i++) {
			assert_int_equal(merkle_inclusion(i, n, get, &n, &p), 0);
			if (n <= 70 || i % 17 == 0) {
				want.n = 0;
				naive_path(i, 0, n, &want);
				proof_equal(&p, &want);
			}
			assert_true(merkle_verify_inclusion(i, n, &leaves[i], &p, &root));
			if (n <= 70 || i == n / 2)
				damage_inclusion(i, n, &p, &root);
		}
		assert_int_equal(merkle_inclusion(n, n, get, &n, &p), -1);
	}
}

static void
damage_consistency(size_t m, size_t n, const struct proof *p, const struct hash *old,
    const struct hash *new)
{
	struct proof bad = *p;
	struct hash other = *old;

	other.b[m % SHA256_SIZE] ^= 1;
	assert_false(merkle_verify_consistency(m, n, &other, new, p));
	other = *new;
	other.b[n % SHA256_SIZE] ^= 1;
	if (m > 0)	/* of the empty tree there is nothing to be proved */
		assert_false(merkle_verify_consistency(m, n, old, &other, p));
	assert_false(merkle_verify_consistency(n + 1, n, old, new, p));
	if (m == 0 || m == n)
		return;
	bad.v[m % p->n].b[5] ^= 4;
	assert_false(merkle_verify_consistency(m, n, old, new, &bad));
	bad = *p;
	bad.n--;
	assert_false(merkle_verify_consistency(m, n, old, new, &bad));
	bad = *p;
	bad.v[bad.n++] = *new;
	assert_false(merkle_verify_consistency(m, n, old, new, &bad));
}

static void
test_consistency(void **state)
{
	struct hash root[LEAVES + 1];
	struct proof p, want;
	size_t m, n;

	(void)state;
	for (n = 0; n <= LEAVES; n++)
		naive_root(0, n, &root[n]);
	for (n = 0; n <= LEAVES; n++)
		for (m = 0; m <= n; m++) {
			assert_int_equal(merkle_consistency(m, n, get, &n, &p), 0);
			if (m > 0 && (n <= 70 || m % 17 == 0)) {
				want.n = 0;
				naive_subproof(m, 0, n, 1, &want);
				proof_equal(&p, &want);
			}
			assert_true(merkle_verify_consistency(m, n, &root[m], &root[n], &p));
			if (n <= 70 || m == n / 3)
				damage_consistency(m, n, &p, &root[m], &root[n]);
		}
	n = 5;
	assert_int_equal(merkle_consistency(6, 5, get, &n, &p), -1);
	/* one proof does not do for another pair */
	assert_int_equal(merkle_consistency(3, 5, get, &n, &p), 0);
	assert_false(merkle_verify_consistency(4, 5, &root[4], &root[5], &p));
	assert_false(merkle_verify_consistency(3, 6, &root[3], &root[6], &p));
}

static int
never(void *arg, unsigned level, uint64_t index, struct hash *out)
{
	(void)level; (void)index; (void)out;
	return --*(int *)arg >= 0 ? 0 : -1;
}

/* A tile that cannot be read makes no proof. */
static void
test_trouble(void **state)
{
	struct frontier f;
	struct proof p;
	int after;

	(void)state;
	for (after = 0; after < 3; after++) {
		int left = after;

		assert_int_equal(merkle_inclusion(3, 1000, never, &left, &p), -1);
		left = after;
		assert_int_equal(merkle_consistency(77, 1000, never, &left, &p), -1);
		left = after;
		assert_int_equal(frontier_load(&f, 1000, never, &left), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_frontier),
		cmocka_unit_test(test_inclusion),
		cmocka_unit_test(test_consistency),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
