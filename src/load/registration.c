/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/registration.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/limits.h"
#include "base/log.h"
#include "model/ident.h"

#define HASH_HEX_SIZE	(2 * SHA256_SIZE + 1)
/* What the database knows the key by. */
#define CHECK_TEXT	"muhur identity key"

/* Fields of REC_INVESTOR's lines (model/record.c), behind record number and line. */
enum { F_TYPE = 2, F_NUMBER, F_COUNTRY, F_COUNT };
struct field { const char *s; size_t len; };

static unsigned char key[IDENTITY_KEY_SIZE];
static int have_key;

int
registration_key(const char *hex)
{
	char	 text[2 * IDENTITY_KEY_SIZE + 1];
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int  len;

	if (strcspn(hex, "\r\n") != sizeof(text) - 1) {
		log_warnx("identity key: is not %d hexadecimal digits", 2 * IDENTITY_KEY_SIZE);
		return -1;
	}
	memcpy(text, hex, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	have_key = hex_decode(text, key, sizeof(key)) == 0 &&
	    HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *)"", 0, md, &len) != NULL;
	explicit_bzero(text, sizeof(text));
	if (!have_key)
		log_warnx("identity key: cannot be used");
	return have_key ? 0 : -1;
}

void
registration_forget_key(void)
{
	explicit_bzero(key, sizeof(key));
	have_key = 0;
}

static void
hash(const void *p, size_t len, char hex[HASH_HEX_SIZE])
{
	unsigned char	md[EVP_MAX_MD_SIZE];
	unsigned int	n = 0;

	if (!have_key || HMAC(EVP_sha256(), key, sizeof(key), p, len, md, &n) == NULL || n != SHA256_SIZE)
		fatalx("identity key: HMAC-SHA-256 cannot be computed");
	hex_encode(md, SHA256_SIZE, hex);
}

/* As text without what COPY escapes: a number that holds any is none. */
static int
digits_ok(const struct field *type, const struct field *number)
{
	char	 s[64];

	if (number->len >= sizeof(s))
		return 0;
	memcpy(s, number->s, number->len);
	s[number->len] = '\0';
	if (type->len == 4 && memcmp(type->s, "TCKN", 4) == 0)
		return tckn_ok(s);
	if (type->len == 3 && memcmp(type->s, "VKN", 3) == 0)
		return vkn_ok(s);
	return 1;	/* whoever else gave it has rules of his own */
}

/* 0, or -1 where the line has too few. */
static int
split(const char *line, size_t len, struct field f[F_COUNT])
{
	const char	*tab;
	size_t		 i;

	for (i = 0; i < F_COUNT; i++) {
		if ((tab = memchr(line, '\t', len)) == NULL)
			return -1;
		f[i].s = line;
		f[i].len = (size_t)(tab - line);
		len -= f[i].len + 1;
		line = tab + 1;
	}
	return 0;
}

int
registration_line(struct buf *out, const char *line, size_t len)
{
	struct field	 f[F_COUNT];
	struct buf	 text = { 0 };
	char		 hex[HASH_HEX_SIZE];

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (split(line, len, f) == -1)
		return -1;
	(void)buf_append(&text, f[F_TYPE].s, f[F_TYPE].len);
	(void)buf_puts(&text, "|");
	if (f[F_TYPE].len == 7 && memcmp(f[F_TYPE].s, "FOREIGN", 7) == 0)
		(void)buf_append(&text, f[F_COUNTRY].s, f[F_COUNTRY].len);
	(void)buf_puts(&text, "|");
	(void)buf_append(&text, f[F_NUMBER].s, f[F_NUMBER].len);
	hash(text.data, text.len, hex);
	explicit_bzero(text.data, text.len);
	buf_free(&text);
	(void)buf_append(out, line, len);
	(void)buf_printf(out, "\t\\\\x%s\t%c\n", hex, digits_ok(&f[F_TYPE], &f[F_NUMBER]) ? 't' : 'f');
	return 0;
}

int
registration_answer(struct db *db, const struct conf *conf, long long no, usec_t at)
{
	char		 number[24], when[TIME_SIZE], check[HASH_HEX_SIZE + 2] = "\\x";
	const char	*params[] = { number, when, conf->identity_check.n > 0 ? "t" : "f", check };

	(void)snprintf(number, sizeof(number), "%lld", no);
	time_format(at, when);
	hash(CHECK_TEXT, sizeof(CHECK_TEXT) - 1, check + 2);
	return db_prepared_exec(db, "registration_answer", "SELECT muhur_identity.register($1::bigint,"
	    " $2::timestamptz, $3::boolean, $4::bytea)", 4, params) == -1 ? -1 : 0;
}
