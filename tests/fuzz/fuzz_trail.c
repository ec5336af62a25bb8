/* SPDX-License-Identifier: ISC */
/*
 * What an auditor reads of a log that somebody else may have written: a
 * checkpoint, a leaf, what opens it, a path.  Whatever is taken is in the one
 * form that it may have.
 */
#include "config.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fuzz.h"
#include "trail/leaf.h"
#include "trail/note.h"
#include "trail/tiles.h"

#define VKEY "muhur.example/trail+481f7631+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"

static struct note_verifier *key;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_trail", LOG_COMMAND, 0);
	clock_init(0);
	if ((key = note_verifier_new(VKEY)) == NULL)
		fatalx("key");
	return 0;
}

/* The signed text begins with what the checkpoint's fields make. */
static void
try_checkpoint(const char *text, size_t len)
{
	struct checkpoint c;
	struct buf again = { 0 };
	const char *why = NULL;

	if (checkpoint_open(text, len, key, &c, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	(void)buf_printf(&again, "%s\n%llu\n", c.origin, (unsigned long long)c.size);
	base64_encode(c.root.b, SHA256_SIZE, &again);
	(void)buf_puts(&again, "\n");
	CHECK(again.len <= len && memcmp(again.data, text, again.len) == 0);
	buf_free(&again);
}

static void
try_leaf(const char *text, size_t len)
{
	struct buf again = { 0 };
	struct leaf l;
	const char *why = NULL;

	if (leaf_parse(text, len, &l, &why) == -1) {
		CHECK(why != NULL);
		return;
	}
	leaf_text(&l, &again);
	CHECK(again.len == len && memcmp(again.data, text, len) == 0);
	(void)leaf_opens(&l, text, len, NULL);
	buf_free(&again);
}

/* What opens a leaf opens it again in its canonical form, and that form stays. */
static void
try_detail(const char *text)
{
	static const unsigned char salt[LEAF_SALT_SIZE];
	struct leaf l = { .event = 1, .kind = "received", .actor = "gateway" };
	struct buf opening = { 0 }, detail = { 0 }, again = { 0 };

	if (leaf_commit(&l, text, salt, &opening) == 0) {
		CHECK(leaf_opens(&l, opening.data, opening.len, &detail) == 1);
		CHECK(leaf_commit(&l, detail.data, salt, &again) == 0);
		CHECK(again.len == opening.len && memcmp(again.data, opening.data, again.len) == 0);
	}
	buf_free(&opening);
	buf_free(&detail);
	buf_free(&again);
}

static void
try_path(const char *text)
{
	int ok = trail_path_ok(text);

	CHECK(ok >= 0 && ok <= 2);
	/* none that leads elsewhere, or to what is half written */
	CHECK(ok == 0 || (text[0] != '/' && text[0] != '.' && strstr(text, "..") == NULL &&
	    strstr(text, "/.") == NULL && strstr(text, "//") == NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(size + 1, 1);

	memcpy(text, data, size);
	try_checkpoint(text, size);
	try_leaf(text, size);
	if (strlen(text) == size) {
		try_detail(text);
		try_path(text);
	}
	free(text);
	return 0;
}
