/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "trail/note.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define ED25519_PUBLIC		32	/* RFC 8032 5.1.5 */
#define ED25519_SIGNATURE	64
#define ALGORITHM		1	/* C2SP signed-note: Ed25519 */
#define KEY_ID_SIZE		4
#define DASH			"\xe2\x80\x94 "	/* U+2014: a signature's line begins so */

struct note_signer {
	char		 name[ORIGIN_SIZE];
	unsigned char	 pub[1 + ED25519_PUBLIC];	/* the algorithm before it */
	unsigned char	 id[KEY_ID_SIZE];
	EVP_PKEY	*key;
};

struct note_verifier {
	char		 name[ORIGIN_SIZE];
	unsigned char	 id[KEY_ID_SIZE];
	EVP_PKEY	*key;
};

/* --- base64, RFC 4648 4, padded, nothing else in it -------------------------------- */

void
base64_encode(const void *p, size_t n, struct buf *out)
{
	unsigned char *text = xcalloc(n / 3 + 1, 4 + 1);

	(void)buf_append(out, text, (size_t)EVP_EncodeBlock(text, p, (int)n));
	free(text);
}

int
base64_decode(const char *s, size_t len, void *p, size_t n)
{
	struct buf again = { 0 };
	unsigned char *raw = NULL;
	int rc = -1;

	if (len != (n + 2) / 3 * 4)
		return -1;
	raw = xcalloc(len, 1);
	if (EVP_DecodeBlock(raw, (const unsigned char *)s, (int)len) == -1)
		goto out;
	base64_encode(raw, n, &again);	/* other spellings of the same bytes are refused */
	if (again.len != len || memcmp(again.data, s, len) != 0)
		goto out;
	memcpy(p, raw, n);
	rc = 0;
out:
	buf_free(&again);
	free(raw);
	ERR_clear_error();
	return rc;
}

/* --- keys ---------------------------------------------------------------------------- */

/* One word without '+'; beyond ASCII nothing, so no space hides there. */
static int
name_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len >= ORIGIN_SIZE)
		return 0;
	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '+')
			return 0;
	return 1;
}

int
note_name_ok(const char *s)
{
	return name_ok(s, strlen(s));
}

/* SHA-256(name || 0x0A || algorithm || public key), the first four bytes. */
static void
key_id(const char *name, const unsigned char *pub, unsigned char id[KEY_ID_SIZE])
{
	char line[ORIGIN_SIZE + 1];
	struct hash h;
	int n = snprintf(line, sizeof(line), "%s\n", name);

	hash_bytes(line, (size_t)n, pub, 1 + ED25519_PUBLIC, &h);
	memcpy(id, h.b, KEY_ID_SIZE);
}

struct note_signer *
note_signer_new(const char *name, const char *key, size_t len)
{
	struct note_signer *s = xcalloc(1, sizeof(*s));
	size_t n = ED25519_PUBLIC;
	BIO *bio = NULL;

	if (!note_name_ok(name)) {
		log_warnx("trail: \"%s\" cannot be a log's name: 1 to %d characters of ASCII, no space, no '+'",
		    name, ORIGIN_SIZE - 1);
		goto fail;
	}
	(void)str_copy(s->name, sizeof(s->name), name);
	if ((bio = BIO_new_mem_buf(key, (int)len)) == NULL)
		fatalx("trail key: no memory");
	/* "": a key with a pass phrase fails, instead of asking somebody who is not there */
	s->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t)"");
	BIO_free(bio);
	ERR_clear_error();
	if (s->key == NULL || !EVP_PKEY_is_a(s->key, "ED25519") ||
	    EVP_PKEY_get_raw_public_key(s->key, s->pub + 1, &n) != 1 || n != ED25519_PUBLIC) {
		log_warnx("trail key: is no Ed25519 private key in PEM form without a pass phrase");
		goto fail;
	}
	s->pub[0] = ALGORITHM;
	key_id(s->name, s->pub, s->id);
	return s;
fail:
	note_signer_free(s);
	return NULL;
}

void
note_signer_free(struct note_signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	free(s);
}

void
note_signer_public(const struct note_signer *s, struct buf *out)
{
	char hex[2 * KEY_ID_SIZE + 1];

	hex_encode(s->id, KEY_ID_SIZE, hex);
	(void)buf_printf(out, "%s+%s+", s->name, hex);
	base64_encode(s->pub, sizeof(s->pub), out);
}

/* name+id+key; the name is copied into v, the rest given out. */
static int
take_vkey(struct note_verifier *v, const char *s, size_t len, unsigned char pub[1 + ED25519_PUBLIC])
{
	const char *plus = memchr(s, '+', len);
	size_t n = plus != NULL ? (size_t)(plus - s) : 0, rest;
	char hex[2 * KEY_ID_SIZE + 1];
	unsigned char id[KEY_ID_SIZE];

	if (!name_ok(s, n))
		return -1;
	memcpy(v->name, s, n);
	rest = len - n - 1;
	if (rest < 2 * KEY_ID_SIZE + 1 || plus[1 + 2 * KEY_ID_SIZE] != '+')
		return -1;
	memcpy(hex, plus + 1, 2 * KEY_ID_SIZE);
	hex[2 * KEY_ID_SIZE] = '\0';
	if (hex_decode(hex, id, KEY_ID_SIZE) == -1 || base64_decode(plus + 2 + 2 * KEY_ID_SIZE,
	    rest - 2 * KEY_ID_SIZE - 1, pub, 1 + ED25519_PUBLIC) == -1 || pub[0] != ALGORITHM)
		return -1;
	key_id(v->name, pub, v->id);
	return memcmp(id, v->id, KEY_ID_SIZE) == 0 ? 0 : -1;
}

struct note_verifier *
note_verifier_new(const char *vkey)
{
	static const char space[] = " \t\r\n";
	struct note_verifier *v = xcalloc(1, sizeof(*v));
	unsigned char pub[1 + ED25519_PUBLIC];
	size_t len;

	vkey += strspn(vkey, space);
	for (len = strlen(vkey); len > 0 && strchr(space, vkey[len - 1]) != NULL; len--)
		;
	if (take_vkey(v, vkey, len, pub) == 0)
		v->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub + 1, ED25519_PUBLIC);
	ERR_clear_error();
	if (v->key == NULL) {
		log_warnx("trail: that is no verifier's key (name+8 hexadecimal digits+base64, Ed25519)");
		note_verifier_free(v);
		return NULL;
	}
	return v;
}

void
note_verifier_free(struct note_verifier *v)
{
	if (v == NULL)
		return;
	EVP_PKEY_free(v->key);
	free(v);
}

const char *
note_verifier_name(const struct note_verifier *v)
{
	return v->name;
}

/* --- signing --------------------------------------------------------------------------- */

static int
ed25519_sign(EVP_PKEY *key, const char *text, size_t len, unsigned char sig[ED25519_SIGNATURE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = ED25519_SIGNATURE;
	int ok;

	if (ctx == NULL)
		fatalx("trail: no memory");
	ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text, len) == 1 && n == ED25519_SIGNATURE;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : -1;
}

int
checkpoint_sign(const struct checkpoint *c, const struct note_signer *s, struct buf *out)
{
	unsigned char sig[KEY_ID_SIZE + ED25519_SIGNATURE];
	size_t from = out->len;

	if (strcmp(c->origin, s->name) != 0) {
		log_warnx("trail: a checkpoint of %s is not signed by the key of %s", c->origin, s->name);
		return -1;
	}
	(void)buf_printf(out, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	base64_encode(c->root.b, SHA256_SIZE, out);
	(void)buf_puts(out, "\n");
	memcpy(sig, s->id, KEY_ID_SIZE);
	if (ed25519_sign(s->key, out->data + from, out->len - from, sig + KEY_ID_SIZE) == -1) {
		log_warnx("trail: the checkpoint of size %llu cannot be signed", (unsigned long long)c->size);
		return -1;
	}
	(void)buf_printf(out, "\n" DASH "%s ", s->name);
	base64_encode(sig, sizeof(sig), out);
	(void)buf_puts(out, "\n");
	return 0;
}

/* --- opening ----------------------------------------------------------------------------- */

/* What is between at and the next line end, which is passed; -1 there is none. */
static int
take_line(const char **at, const char *end, const char **line, size_t *len)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));

	if (nl == NULL)
		return -1;
	*line = *at;
	*len = (size_t)(nl - *at);
	*at = nl + 1;
	return 0;
}

int
size_parse(const char *s, size_t len, uint64_t *n)
{
	size_t i;

	*n = 0;
	if (len == 0 || len > 19 || (s[0] == '0' && len > 1))
		return -1;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		*n = *n * 10 + (uint64_t)(s[i] - '0');
	}
	return *n <= INT64_MAX ? 0 : -1;
}

/* text..end: origin, size, root, then other lines that are not empty. */
static const char *
take_text(const char *text, const char *end, const char *name, struct checkpoint *c)
{
	const char *line;
	size_t len;

	if (take_line(&text, end, &line, &len) == -1 || len != strlen(name) || memcmp(line, name, len) != 0)
		return "it is of another log than the key";
	(void)str_copy(c->origin, sizeof(c->origin), name);
	if (take_line(&text, end, &line, &len) == -1 || size_parse(line, len, &c->size) == -1)
		return "its size is no number";
	if (take_line(&text, end, &line, &len) == -1 ||
	    base64_decode(line, len, c->root.b, SHA256_SIZE) == -1)
		return "its root is no SHA-256 in base64";
	while (text < end)
		if (take_line(&text, end, &line, &len) == -1 || len == 0)
			return "it has an empty line in its text";
	return NULL;
}

static int
verifies(EVP_PKEY *key, const char *text, size_t len, const unsigned char *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok;

	if (ctx == NULL)
		fatalx("trail: no memory");
	ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 && EVP_DigestVerify(ctx, sig,
	    ED25519_SIGNATURE, (const unsigned char *)text, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* One line of a signature: *ours where it is of the key, and then it must verify. */
static const char *
take_signature(const char *line, size_t len, const struct note_verifier *v, const char *text,
    size_t textlen, int *ours)
{
	const size_t dash = sizeof(DASH) - 1, name = strlen(v->name);
	unsigned char sig[KEY_ID_SIZE + ED25519_SIGNATURE];
	const char *space;

	if (len <= dash || memcmp(line, DASH, dash) != 0)
		return "a signature's line does not begin with a dash";
	line += dash;
	len -= dash;
	space = memchr(line, ' ', len);
	if (space == NULL || space == line || space + 1 == line + len)
		return "a signature's line is not a name and a signature";
	if ((size_t)(space - line) != name || memcmp(line, v->name, name) != 0)
		return NULL;
	if (base64_decode(space + 1, len - name - 1, sig, sizeof(sig)) == -1 ||
	    memcmp(sig, v->id, KEY_ID_SIZE) != 0)
		return NULL;		/* another algorithm or key under that name */
	if (!verifies(v->key, text, textlen, sig + KEY_ID_SIZE))
		return "its signature does not verify";
	*ours = 1;
	return NULL;
}

/* The note's form: text, an empty line (the last one), signatures. */
static const char *
open_note(const char *note, size_t len, const struct note_verifier *v, struct checkpoint *c)
{
	const char *end = note + len, *sigs = NULL, *at, *line, *why;
	size_t i, n;
	int ours = 0;

	if (len > CHECKPOINT_MAX)
		return "it is too long";
	for (i = 0; i < len; i++)
		if (((unsigned char)note[i] < ' ' && note[i] != '\n') || note[i] == 0x7f)
			return "it has a control character";
	for (i = 0; i + 1 < len; i++)
		if (note[i] == '\n' && note[i + 1] == '\n')
			sigs = note + i + 2;
	if (sigs == NULL)
		return "it has no signature";
	if ((why = take_text(note, sigs - 1, v->name, c)) != NULL)
		return why;
	for (at = sigs; at < end; ) {
		if (take_line(&at, end, &line, &n) == -1)
			return "its last line does not end";
		if ((why = take_signature(line, n, v, note, (size_t)(sigs - 1 - note), &ours)) != NULL)
			return why;
	}
	return ours ? NULL : "it is not signed by the key";
}

int
checkpoint_open(const char *note, size_t len, const struct note_verifier *v,
    struct checkpoint *c, const char **why)
{
	memset(c, 0, sizeof(*c));
	*why = open_note(note, len, v, c);
	return *why == NULL ? 0 : -1;
}
