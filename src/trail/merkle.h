/* SPDX-License-Identifier: ISC */
/*
 * Merkle trees as in RFC 9162 2.1 (the same as RFC 6962 2.1), with SHA-256.
 * Pure: hashes come from callbacks.  Sizes and indexes are counts of leaves.
 * One thread a process: the hash functions share a context.
 */
#ifndef MUHUR_TRAIL_MERKLE_H
#define MUHUR_TRAIL_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define MERKLE_PROOF_MAX	64	/* hashes of a proof: 63 and the node itself */

struct hash { unsigned char b[SHA256_SIZE]; };

/* SHA-256(0x00 || data), SHA-256(0x01 || left || right), SHA-256(""). */
void	merkle_leaf(const void *data, size_t len, struct hash *out);
void	merkle_node(const struct hash *left, const struct hash *right, struct hash *out);
void	merkle_empty(struct hash *out);
/* SHA-256(a || b). */
void	hash_bytes(const void *a, size_t alen, const void *b, size_t blen, struct hash *out);

/*
 * The right edge of a tree that grows: the roots of its whole subtrees, the
 * largest first, as many as size has one-bits.
 */
struct frontier {
	uint64_t	size;
	struct hash	node[64];
	unsigned	n;
};
void	frontier_append(struct frontier *f, const struct hash *leaf);
void	frontier_root(const struct frontier *f, struct hash *root);
/* The root over n neighbouring nodes of one level. */
void	merkle_whole(const struct hash *v, size_t n, struct hash *out);

/* The hash of the whole subtree of 2^level leaves that begins with leaf
 * index << level.  0, or -1: it cannot be read (logged by the callback). */
typedef int (*merkle_get)(void *arg, unsigned level, uint64_t index, struct hash *out);

/* The edge of the tree of that size, read back.  0 or -1. */
int	frontier_load(struct frontier *f, uint64_t size, merkle_get get, void *arg);

struct proof {
	struct hash	v[MERKLE_PROOF_MAX];
	size_t		n;
};
/* RFC 9162 2.1.3.1 and 2.1.4.1.  index < size; from <= to.  0 or -1. */
int	merkle_inclusion(uint64_t index, uint64_t size, merkle_get get, void *arg, struct proof *p);
int	merkle_consistency(uint64_t from, uint64_t to, merkle_get get, void *arg, struct proof *p);
/* RFC 9162 2.1.3.2 and 2.1.4.2.  1 it holds, 0 it does not. */
int	merkle_verify_inclusion(uint64_t index, uint64_t size, const struct hash *leaf,
	    const struct proof *p, const struct hash *root);
int	merkle_verify_consistency(uint64_t from, uint64_t to, const struct hash *from_root,
	    const struct hash *to_root, const struct proof *p);

#endif
