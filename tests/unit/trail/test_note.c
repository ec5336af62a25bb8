/* SPDX-License-Identifier: ISC */
/* Checkpoints: one signed by another program, the key id by hand, and every way
 * in which a note can be wrong. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <cmocka.h>

#include "base/log.h"
#include "trail/note.h"

/* The key of RFC 8032 7.1, test 1. */
#define KEY "-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
	"-----END PRIVATE KEY-----\n"
#define OTHER_KEY "-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9h\n" \
	"-----END PRIVATE KEY-----\n"
#define PUBLIC_HEX "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define NAME "muhur.example/trail"
#define VKEY NAME "+481f7631+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
#define TEXT NAME "\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n"
#define DASH "\xe2\x80\x94 "
#define SIGNATURE "SB92MXeDugUiUWj/jZrvICkbpieAPs5BUf23wEWagdzkA4wafcYRgJ3mbfNJSM3BhcE65RSJkIcYjz+MDOUBEiJBfQo="
#define NOTE TEXT "\n" DASH NAME " " SIGNATURE "\n"

/* SHA-256(name 0x0A 0x01 public key), first 4 bytes: C2SP signed-note. */
static void
test_key_id(void **state)
{
	unsigned char in[sizeof(NAME) + 1 + 32] = NAME "\n\x01", out[32];
	char hex[9], *want;
	struct note_signer *s;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(hex_decode(PUBLIC_HEX, in + sizeof(NAME) + 1, 32), 0);
	SHA256(in, sizeof(in), out);
	hex_encode(out, 4, hex);
	s = note_signer_new(NAME, KEY, strlen(KEY));
	assert_non_null(s);
	note_signer_public(s, &b);
	want = xasprintf("%s+%s+", NAME, hex);
	assert_int_equal(strncmp(b.data, want, strlen(want)), 0);
	assert_string_equal(b.data, VKEY);
	free(want);
	buf_free(&b);
	note_signer_free(s);
}

static void
make(struct checkpoint *c, uint64_t size)
{
	memset(c, 0, sizeof(*c));
	(void)str_copy(c->origin, sizeof(c->origin), NAME);
	c->size = size;
	merkle_leaf("", 0, &c->root);
}

static void
test_sign(void **state)
{
	struct note_signer *s = note_signer_new(NAME, KEY, strlen(KEY));
	struct checkpoint c;
	struct buf b = { 0 };

	(void)state;
	make(&c, 1);
	assert_int_equal(checkpoint_sign(&c, s, &b), 0);
	assert_string_equal(b.data, NOTE);
	(void)str_copy(c.origin, sizeof(c.origin), "another");
	assert_int_equal(checkpoint_sign(&c, s, &b), -1);
	buf_free(&b);
	note_signer_free(s);
}

static void
test_open(void **state)
{
	struct note_verifier *v = note_verifier_new("\n " VKEY "\r\n");
	struct checkpoint c, want;
	const char *why;
	const char *more = NOTE DASH "witness.example AAAAAAAA\n" DASH NAME " AAAAAAAA\n";

	(void)state;
	assert_non_null(v);
	assert_string_equal(note_verifier_name(v), NAME);
	make(&want, 1);
	assert_int_equal(checkpoint_open(NOTE, strlen(NOTE), v, &c, &why), 0);
	assert_null(why);
	assert_string_equal(c.origin, want.origin);
	assert_int_equal(c.size, 1);
	assert_memory_equal(&c.root, &want.root, sizeof(c.root));
	/* others' signatures, and another key of the same name */
	assert_int_equal(checkpoint_open(more, strlen(more), v, &c, &why), 0);
	note_verifier_free(v);
}

/* A note that is signed, but whose text is what it must not be. */
static void
refused_text(const struct note_verifier *v, const char *text)
{
	struct checkpoint c;
	const char *why = NULL;
	char *note = xasprintf("%s\n" DASH NAME " " SIGNATURE "\n", text);

	if (checkpoint_open(note, strlen(note), v, &c, &why) == 0 || why == NULL)
		fail_msg("%s: opens", text);
	if (strstr(why, "verify") != NULL)
		fail_msg("%s: should be refused before its signature: %s", text, why);
	free(note);
}

static void
refused(const struct note_verifier *v, const char *note, size_t len, const char *want)
{
	struct checkpoint c;
	const char *why = NULL;

	assert_int_equal(checkpoint_open(note, len, v, &c, &why), -1);
	if (strstr(why, want) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", why, want);
}

static void
test_refused(void **state)
{
	static const char root[] = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n";
	static const char *const sizes[] = { "", "01", "-1", "+1", " 1", "1 ", "0x1", "1e3",
	    "9223372036854775808", "18446744073709551616", "99999999999999999999" };
	struct note_verifier *v = note_verifier_new(VKEY);
	char copy[sizeof(NOTE)], *s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		s = xasprintf(NAME "\n%s\n%s", sizes[i], root);
		refused_text(v, s);
		free(s);
	}
	refused_text(v, "another\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n");
	refused_text(v, NAME " \n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n");
	refused_text(v, NAME "\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0\n");
	refused_text(v, NAME "\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=\n");	/* the same 32 bytes */
	refused_text(v, NAME "\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0= \n");
	refused_text(v, NAME "\n1\n");
	refused_text(v, NAME "\n");
	refused_text(v, TEXT "\nmore\n");		/* an empty line in it */
	refused_text(v, TEXT "a\tb\n");
	refused(v, TEXT, strlen(TEXT), "no signature");
	refused(v, TEXT "\n", strlen(TEXT) + 1, "not signed by the key");
	refused(v, "", 0, "no signature");
	refused(v, NOTE, strlen(NOTE) - 1, "does not end");
	refused(v, NOTE "x\n", strlen(NOTE) + 2, "dash");
	refused(v, NOTE DASH "x\n", strlen(NOTE DASH) + 2, "not a name and a signature");
	/* each bit of it matters, but for those of others' lines */
	for (i = 0; i < strlen(NOTE); i++) {
		struct checkpoint c;
		const char *why;

		memcpy(copy, NOTE, sizeof(NOTE));
		copy[i] = (char)(copy[i] ^ 1);
		assert_int_equal(checkpoint_open(copy, strlen(NOTE), v, &c, &why), -1);
	}
	note_verifier_free(v);
}

static void
test_long(void **state)
{
	struct note_verifier *v = note_verifier_new(VKEY);
	struct buf b = { 0 };

	(void)state;
	(void)buf_puts(&b, NOTE);
	while (b.len <= CHECKPOINT_MAX)
		(void)buf_puts(&b, DASH "w AAAA\n");
	refused(v, b.data, b.len, "too long");
	buf_free(&b);
	note_verifier_free(v);
}

/* text and KEY's signature of it: made without the code under test. */
static void
sign_text(const char *text, struct buf *note)
{
	unsigned char sig[4 + 64] = { 0x48, 0x1f, 0x76, 0x31 };	/* VKEY's key id */
	size_t len = 64;
	BIO *in = BIO_new_mem_buf(KEY, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig + 4, &len, (const unsigned char *)text, strlen(text)), 1);
	(void)buf_printf(note, "%s\n" DASH NAME " ", text);
	base64_encode(sig, sizeof(sig), note);
	(void)buf_puts(note, "\n");
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(in);
}

/* A line more in the text is another text; it is allowed where it is signed. */
static void
test_extension(void **state)
{
	struct note_verifier *v = note_verifier_new(VKEY);
	struct checkpoint c, want;
	struct buf note = { 0 };
	const char *why;

	(void)state;
	make(&want, 1);
	sign_text(TEXT, &note);
	assert_string_equal(note.data, NOTE);
	buf_reset(&note);
	sign_text(TEXT "more\nand more\n", &note);
	assert_int_equal(checkpoint_open(note.data, note.len, v, &c, &why), 0);
	assert_int_equal(c.size, 1);
	assert_memory_equal(&c.root, &want.root, sizeof(c.root));
	buf_free(&note);
	refused(v, TEXT "more\n\n" DASH NAME " " SIGNATURE "\n",
	    strlen(TEXT "more\n\n" DASH NAME " " SIGNATURE "\n"), "does not verify");
	note_verifier_free(v);
}

static void
test_keys(void **state)
{
	static const char *const bad[] = { "", NAME, NAME "+481f7631", NAME "+481f7632+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
	    "other+481f7631+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", "+481f7631+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
	    NAME "+481F7631+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", VKEY "A", VKEY " x",
	    NAME "+481f7631+AtdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea" };
	struct note_verifier *v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if ((v = note_verifier_new(bad[i])) != NULL)
			fail_msg("%s is taken", bad[i]);
	}
	assert_null(note_signer_new("a b", KEY, strlen(KEY)));
	assert_null(note_signer_new("", KEY, strlen(KEY)));
	assert_null(note_signer_new("a+b", KEY, strlen(KEY)));
	assert_null(note_signer_new("a\xc2\xa0" "b", KEY, strlen(KEY)));
	assert_null(note_signer_new(NAME, "no key", 6));
	assert_null(note_signer_new(NAME, VKEY, strlen(VKEY)));
}

/* Another key of the same name does not open it. */
static void
test_other_key(void **state)
{
	struct note_signer *s = note_signer_new(NAME, OTHER_KEY, strlen(OTHER_KEY));
	struct note_verifier *v;
	struct buf b = { 0 };

	(void)state;
	assert_non_null(s);
	note_signer_public(s, &b);
	v = note_verifier_new(b.data);
	assert_non_null(v);
	refused(v, NOTE, strlen(NOTE), "not signed by the key");
	note_verifier_free(v);
	note_signer_free(s);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_id),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_extension),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_other_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
