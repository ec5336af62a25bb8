/* SPDX-License-Identifier: ISC */
/* A leaf's proof, which holds without the log it is from. */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "muhur/trail_log.h"

#define PROOF_VERSION	1

static json_t *
hashes_json(const struct proof *p)
{
	json_t *list = json_array();
	struct buf b = { 0 };
	size_t i;

	for (i = 0; i < p->n; i++) {
		buf_reset(&b);
		base64_encode(p->v[i].b, SHA256_SIZE, &b);
		(void)json_array_append_new(list, json_string(b.data));
	}
	buf_free(&b);
	return list;
}

/* Into the proof, where there is one. */
static int
add_opening(int openings, uint64_t index, json_t *proof)
{
	struct buf b = { 0 };
	json_t *o = NULL;
	int rc = 0;

	if (openings != -1 && (rc = trail_opening(openings, index, &b)) == 0) {
		if ((o = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL)) == NULL) {
			log_warnx("leaf %llu: its opening is no JSON", (unsigned long long)index);
			rc = -1;
		} else
			(void)json_object_set_new(proof, "opening", o);
	}
	buf_free(&b);
	return rc == -1 ? -1 : 0;
}

json_t *
trail_proof(const struct trail_log *l, struct tiles *t, uint64_t index,
    const struct checkpoint *head, const struct buf *note)
{
	json_t *o = NULL;
	struct proof p;
	const char *leaf;
	size_t len;

	if (merkle_inclusion(index, head->size, tiles_get, t, &p) == -1 ||
	    tiles_entry(t, index, &leaf, &len) == -1)
		return NULL;
	o = json_pack("{s:i, s:I, s:I, s:s%, s:o, s:s%}", "v", PROOF_VERSION, "index", (json_int_t)index,
	    "size", (json_int_t)head->size, "leaf", leaf, len, "hashes", hashes_json(&p),
	    "checkpoint", note->data, note->len);
	if (o == NULL)
		log_warnx("leaf %llu: is no UTF-8", (unsigned long long)index);
	else if (add_opening(l->openings, index, o) == -1) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

/* --- checking one ------------------------------------------------------------------ */

static int
take_hashes(const json_t *list, struct proof *p)
{
	const json_t *h;

	if (!json_is_array(list) || json_array_size(list) > MERKLE_PROOF_MAX)
		return -1;
	for (p->n = 0; p->n < json_array_size(list); p->n++) {
		h = json_array_get(list, p->n);
		if (!json_is_string(h) || base64_decode(json_string_value(h), json_string_length(h),
		    p->v[p->n].b, SHA256_SIZE) == -1)
			return -1;
	}
	return 0;
}

static const char *
check_opening(const json_t *opening, const struct leaf *l, struct buf *detail)
{
	const char *why = NULL;
	char *text;

	if (opening == NULL)
		return NULL;
	text = json_dumps(opening, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	if (text == NULL)
		fatalx("proof: no memory");
	if (!leaf_opens(l, text, strlen(text), detail))
		why = "its opening does not open its leaf";
	free(text);
	return why;
}

int
trail_proof_check(const json_t *proof, const struct note_verifier *key, struct checkpoint *head,
    struct leaf *l, struct buf *detail, const char **why)
{
	json_t *o = (json_t *)(uintptr_t)proof;		/* jansson's unpack only reads */
	const char *text, *note;
	json_int_t v, index, size;
	size_t len, notelen;
	struct hash h;
	struct proof p;
	json_t *hashes, *opening = NULL;

	*why = "it is no proof of version 1";
	if (json_unpack(o, "{s:I, s:I, s:I, s:s%, s:o, s:s%, s?o}", "v", &v, "index", &index, "size", &size,
	    "leaf", &text, &len, "hashes", &hashes, "checkpoint", &note, &notelen, "opening", &opening) == -1 ||
	    v != PROOF_VERSION || index < 0 || take_hashes(hashes, &p) == -1)
		return -1;
	if (checkpoint_open(note, notelen, key, head, why) == -1)
		return -1;
	*why = "its size is not its checkpoint's";
	if (size < 0 || head->size != (uint64_t)size)
		return -1;
	*why = "its hashes do not lead from the leaf to the checkpoint's root";
	merkle_leaf(text, len, &h);
	if (!merkle_verify_inclusion((uint64_t)index, head->size, &h, &p, &head->root))
		return -1;
	if (leaf_parse(text, len, l, why) == -1 || (*why = check_opening(opening, l, detail)) != NULL)
		return -1;
	return 0;
}
