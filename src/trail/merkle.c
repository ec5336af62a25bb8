/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "trail/merkle.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/log.h"

/* Fetching the algorithm and making a context cost more than a hash: once. */
static EVP_MD		*sha256;
static EVP_MD_CTX	*context;

static void
begin(void)
{
	if (context == NULL && ((sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) == NULL ||
	    (context = EVP_MD_CTX_new()) == NULL))
		fatalx("SHA-256: OpenSSL has none");
	if (EVP_DigestInit_ex2(context, sha256, NULL) != 1)
		fatalx("SHA-256: OpenSSL cannot begin");
}

static void
add(const void *data, size_t len)
{
	if (EVP_DigestUpdate(context, data, len) != 1)
		fatalx("SHA-256: OpenSSL cannot go on");
}

static void
end(struct hash *out)
{
	if (EVP_DigestFinal_ex(context, out->b, NULL) != 1)
		fatalx("SHA-256: OpenSSL cannot end");
}

void
hash_bytes(const void *a, size_t alen, const void *b, size_t blen, struct hash *out)
{
	begin();
	add(a, alen);
	add(b, blen);
	end(out);
}

void
merkle_leaf(const void *data, size_t len, struct hash *out)
{
	hash_bytes("\0", 1, data, len, out);
}

void
merkle_node(const struct hash *left, const struct hash *right, struct hash *out)
{
	unsigned char both[1 + 2 * SHA256_SIZE];

	both[0] = 1;
	memcpy(both + 1, left->b, SHA256_SIZE);
	memcpy(both + 1 + SHA256_SIZE, right->b, SHA256_SIZE);
	hash_bytes(both, sizeof(both), "", 0, out);
}

void
merkle_empty(struct hash *out)
{
	hash_bytes("", 0, "", 0, out);
}

void
merkle_whole(const struct hash *v, size_t n, struct hash *out)
{
	struct frontier f = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		frontier_append(&f, &v[i]);
	frontier_root(&f, out);
}

/* --- the right edge ------------------------------------------------------------ */

void
frontier_append(struct frontier *f, const struct hash *leaf)
{
	struct hash node = *leaf;
	uint64_t size;

	/* every one-bit at the end of size is a whole subtree that the new one pairs with */
	for (size = f->size; size & 1; size >>= 1)
		merkle_node(&f->node[--f->n], &node, &node);
	f->node[f->n++] = node;
	f->size++;
}

void
frontier_root(const struct frontier *f, struct hash *root)
{
	unsigned i;

	if (f->n == 0) {
		merkle_empty(root);
		return;
	}
	*root = f->node[f->n - 1];
	for (i = f->n - 1; i-- > 0; )
		merkle_node(&f->node[i], root, root);
}

int
frontier_load(struct frontier *f, uint64_t size, merkle_get get, void *arg)
{
	uint64_t at = 0;	/* leaves that are covered */
	unsigned level;

	memset(f, 0, sizeof(*f));
	for (level = 64; level-- > 0; ) {
		if ((size >> level & 1) == 0)
			continue;
		if (get(arg, level, at >> level, &f->node[f->n]) == -1)
			return -1;
		f->n++;
		at += UINT64_C(1) << level;
	}
	f->size = size;
	return 0;
}

/* --- proofs ---------------------------------------------------------------------- */

/* The largest power of two below n, n > 1. */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The root over leaves from..from + n, n > 0, where from is what splitting a tree
 * leads to: then each one-bit of n is a whole subtree, and from is a multiple of it. */
static int
range_root(uint64_t from, uint64_t n, merkle_get get, void *arg, struct hash *out)
{
	struct frontier f = { 0 };
	unsigned level;

	for (level = 64; level-- > 0; ) {
		if ((n >> level & 1) == 0)
			continue;
		if (get(arg, level, from >> level, &f.node[f.n]) == -1)
			return -1;
		f.n++;
		from += UINT64_C(1) << level;
	}
	frontier_root(&f, out);
	return 0;
}

static int
push(struct proof *p, uint64_t from, uint64_t n, merkle_get get, void *arg)
{
	return range_root(from, n, get, arg, &p->v[p->n++]);
}

/* The RFC lists a proof from the leaf up; splitting goes down. */
static void
turn(struct proof *p)
{
	struct hash h;
	size_t i;

	for (i = 0; i < p->n / 2; i++) {
		h = p->v[i];
		p->v[i] = p->v[p->n - 1 - i];
		p->v[p->n - 1 - i] = h;
	}
}

int
merkle_inclusion(uint64_t index, uint64_t size, merkle_get get, void *arg, struct proof *p)
{
	uint64_t from = 0, n = size, k;
	int rc;

	p->n = 0;
	if (index >= size)
		return -1;
	while (n > 1) {
		k = split(n);
		if (index - from < k) {
			rc = push(p, from + k, n - k, get, arg);
			n = k;
		} else {
			rc = push(p, from, k, get, arg);
			from += k;
			n -= k;
		}
		if (rc == -1)
			return -1;
	}
	turn(p);
	return 0;
}

int
merkle_consistency(uint64_t from, uint64_t to, merkle_get get, void *arg, struct proof *p)
{
	uint64_t at = 0, m = from, n = to, k;
	int rc;

	p->n = 0;
	if (from > to)
		return -1;
	if (from == 0)
		return 0;
	while (m != n) {
		k = split(n);
		if (m <= k) {
			rc = push(p, at + k, n - k, get, arg);
			n = k;
		} else {
			rc = push(p, at, k, get, arg);
			at += k;
			m -= k;
			n -= k;
		}
		if (rc == -1)
			return -1;
	}
	/* the old tree's own root, where the new tree has it as a node, is known to
	 * whoever asks */
	if (at != 0 && push(p, at, m, get, arg) == -1)
		return -1;
	turn(p);
	return 0;
}

static int
same(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, SHA256_SIZE) == 0;
}

int
merkle_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf,
    const struct proof *p, const struct hash *root)
{
	struct hash r = *leaf;
	uint64_t fn = index, sn;
	size_t i;

	if (index >= size)
		return 0;
	sn = size - 1;
	for (i = 0; i < p->n; i++) {
		if (sn == 0)
			return 0;
		if ((fn & 1) || fn == sn) {
			merkle_node(&p->v[i], &r, &r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else
			merkle_node(&r, &p->v[i], &r);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&r, root);
}

/* RFC 9162 2.1.4.2, steps 3 to 7, from the first hash on. */
static int
climb(uint64_t fn, uint64_t sn, struct hash fr, const struct hash *v, size_t n,
    const struct hash *from_root, const struct hash *to_root)
{
	struct hash sr;
	size_t i;

	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	sr = fr;
	for (i = 0; i < n; i++) {
		if (sn == 0)
			return 0;
		if ((fn & 1) || fn == sn) {
			merkle_node(&v[i], &fr, &fr);
			merkle_node(&v[i], &sr, &sr);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else
			merkle_node(&sr, &v[i], &sr);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&fr, from_root) && same(&sr, to_root);
}

int
merkle_verify_consistency(uint64_t from, uint64_t to, const struct hash *from_root,
    const struct hash *to_root, const struct proof *p)
{
	struct hash empty;

	if (from > to)
		return 0;
	if (from == to)
		return p->n == 0 && same(from_root, to_root);
	if (from == 0) {
		merkle_empty(&empty);
		return p->n == 0 && same(from_root, &empty);
	}
	if ((from & (from - 1)) == 0)	/* a whole subtree: its root begins the proof */
		return climb(from - 1, to - 1, *from_root, p->v, p->n, from_root, to_root);
	if (p->n == 0)
		return 0;
	return climb(from - 1, to - 1, p->v[0], p->v + 1, p->n - 1, from_root, to_root);
}
