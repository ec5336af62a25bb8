/* SPDX-License-Identifier: ISC */
/*
 * PKCS#11 2.40, as much of it as one key needs.  p11-kit gives the header and
 * reads the URI; the module is spoken to directly, so that nothing else is
 * loaded, opened or started in the process that signs.
 *
 * What a token says may be wrong, stale or missing at any time.  A call that
 * fails ends the module (C_Finalize) and the next signature begins anew: some
 * modules look for tokens only at C_Initialize.  A PIN that was refused is
 * never shown again, since a token that is shown a wrong one a few times locks
 * itself.
 */
#include "config.h"

#include "document/token.h"

#include <string.h>

#include "base/log.h"

int
token_is_uri(const char *s)
{
	return strncmp(s, "pkcs11:", 7) == 0;
}

int
token_pin(const char *text, size_t len, const char **pin, size_t *pin_len)
{
	const char	*end = memchr(text, '\n', len);
	size_t		 n = end != NULL ? (size_t)(end - text) : len;

	if (n > 0 && text[n - 1] == '\r')
		n--;
	if (n == 0 || n > TOKEN_PIN_MAX) {
		log_warnx("PIN: the file's first line must hold 1 to %d bytes", TOKEN_PIN_MAX);
		return -1;
	}
	*pin = text;
	*pin_len = n;
	return 0;
}

#ifndef WITH_PKCS11

static int
unknown(const char *uri)
{
	log_warnx("%.7s: this build signs with PEM files only (configure --with-pkcs11)", uri);
	return -1;
}

int
token_pin_source(const char *uri, char **path)
{
	*path = NULL;
	return unknown(uri);
}

struct signing_key *
token_key_new(const char *uri, const char *module, const char *pin, size_t pin_len,
    unsigned timeout, const char *certs_pem, size_t certs_len)
{
	(void)module;
	(void)pin;
	(void)pin_len;
	(void)timeout;
	(void)certs_pem;
	(void)certs_len;
	(void)unknown(uri);
	return NULL;
}

#else /* WITH_PKCS11 */

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "document/signature.h"

#define SLOTS_MAX	64

struct token {
	char			*name;		/* the URI, for messages: it holds no secret */
	P11KitUri		*uri;
	void			*library;
	CK_FUNCTION_LIST	*f;
	char			*pin;		/* NULL none */
	size_t			 pin_len;
	int			 pin_refused;
	unsigned		 timeout;	/* seconds for whatever is asked of it; 0 none */
	int			 initialized;
	int			 connected;	/* session and key are good, as far as is known */
	CK_SESSION_HANDLE	 session;
	CK_OBJECT_HANDLE	 key;
	CK_BBOOL		 each_time;	/* CKA_ALWAYS_AUTHENTICATE */
	char			 why[160];	/* what failed last */
	char			 told[160];	/* as an alarm, and not back since; "" none */
};

static int
failed(struct token *t, const char *what, CK_RV rv)
{
	static const struct { CK_RV rv; const char *text; } known[] = {
		{ CKR_PIN_INCORRECT, "the PIN is wrong" }, { CKR_PIN_LOCKED, "the PIN is locked" },
		{ CKR_PIN_EXPIRED, "the PIN has expired" },
		{ CKR_PIN_LEN_RANGE, "no PIN of this token has that length" },
		{ CKR_PIN_INVALID, "no PIN of this token has such characters" },
		{ CKR_USER_PIN_NOT_INITIALIZED, "the token has no user PIN yet" },
		{ CKR_DEVICE_REMOVED, "the token was removed" },
		{ CKR_TOKEN_NOT_PRESENT, "the token is not present" },
		{ CKR_DEVICE_ERROR, "the token failed" }, { CKR_DEVICE_MEMORY, "the token's memory is full" },
		{ CKR_MECHANISM_INVALID, "the token does not sign in this way" },
		{ CKR_KEY_FUNCTION_NOT_PERMITTED, "the key may not sign" },
		{ CKR_KEY_TYPE_INCONSISTENT, "the key is not of its certificate's kind" },
	};
	const char	*text = "PKCS#11 error";
	size_t		 i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].rv == rv)
			text = known[i].text;
	(void)snprintf(t->why, sizeof(t->why), "%s: %s (0x%lx)", what, text, (unsigned long)rv);
	return -1;
}

static int
failed_text(struct token *t, const char *why)
{
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
	return -1;
}

static void
disconnect(struct token *t)
{
	if (t->initialized)
		(void)t->f->C_Finalize(NULL);
	t->initialized = t->connected = 0;
}

/* --- finding the key ---------------------------------------------------------- */

/* The one slot whose token the URI names: a PIN is for one token only. */
static int
find_slot(struct token *t, CK_SLOT_ID *found, CK_TOKEN_INFO *token)
{
	CK_SLOT_ID	slots[SLOTS_MAX];
	CK_ULONG	n = SLOTS_MAX, i;
	CK_TOKEN_INFO	info;
	CK_RV		rv;
	int		count = 0;

	if ((rv = t->f->C_GetSlotList(CK_TRUE, slots, &n)) != CKR_OK)
		return failed(t, "looking for tokens", rv);
	for (i = 0; i < n; i++) {
		if (t->f->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		    (info.flags & CKF_TOKEN_INITIALIZED) == 0 ||
		    p11_kit_uri_match_token_info(t->uri, &info) != 1 ||
		    (p11_kit_uri_get_slot_id(t->uri) != (CK_SLOT_ID)-1 &&
		    p11_kit_uri_get_slot_id(t->uri) != slots[i]))
			continue;
		*found = slots[i];
		*token = info;
		count++;
	}
	if (count == 0)
		return failed_text(t, "there is no such token");
	if (count > 1)
		return failed_text(t, "it names several tokens: add token= or serial=");
	return 0;
}

static int
log_in(struct token *t, CK_USER_TYPE user, const CK_TOKEN_INFO *token)
{
	CK_RV	rv;

	if (t->pin == NULL && token != NULL &&
	    (token->flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
		return (token->flags & CKF_LOGIN_REQUIRED) == 0 ? 0 :
		    failed_text(t, "the token wants a PIN, and none is set");
	if (t->pin_refused)
		return failed_text(t, "the PIN was refused and is not tried again: "
		    "set it right and start anew");
	rv = t->f->C_Login(t->session, user, (CK_UTF8CHAR *)t->pin, t->pin_len);
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return 0;
	t->pin_refused = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED ||
	    rv == CKR_PIN_EXPIRED || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID;
	return failed(t, "login", rv);
}

/* The one private key that the URI names. */
static int
find_key(struct token *t)
{
	CK_OBJECT_CLASS	 class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE	 want[3] = { { CKA_CLASS, &class, sizeof(class) } }, *a;
	CK_ATTRIBUTE	 each = { CKA_ALWAYS_AUTHENTICATE, &t->each_time, sizeof(t->each_time) };
	CK_OBJECT_HANDLE found[2];
	CK_ULONG	 n = 0, nwant = 1;
	CK_RV		 rv;

	if ((a = p11_kit_uri_get_attribute(t->uri, CKA_LABEL)) != NULL)
		want[nwant++] = *a;
	if ((a = p11_kit_uri_get_attribute(t->uri, CKA_ID)) != NULL)
		want[nwant++] = *a;
	if ((rv = t->f->C_FindObjectsInit(t->session, want, nwant)) != CKR_OK)
		return failed(t, "looking for the key", rv);
	rv = t->f->C_FindObjects(t->session, found, 2, &n);
	(void)t->f->C_FindObjectsFinal(t->session);
	if (rv != CKR_OK)
		return failed(t, "looking for the key", rv);
	if (n == 0)
		return failed_text(t, "the token has no such private key");
	if (n > 1)
		return failed_text(t, "it names several private keys: add object= or id=");
	t->key = found[0];
	t->each_time = CK_FALSE;
	if (t->f->C_GetAttributeValue(t->session, t->key, &each, 1) != CKR_OK)
		t->each_time = CK_FALSE;
	return 0;
}

static int
connect_token(struct token *t)
{
	CK_TOKEN_INFO	info;
	CK_SLOT_ID	slot = 0;
	CK_RV		rv;

	if (!t->initialized) {
		rv = t->f->C_Initialize(NULL);
		if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
			return failed(t, "starting the module", rv);
		t->initialized = 1;
	}
	if (find_slot(t, &slot, &info) == -1)
		return -1;
	if ((rv = t->f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session)) != CKR_OK)
		return failed(t, "opening a session", rv);
	if (log_in(t, CKU_USER, &info) == -1 || find_key(t) == -1)
		return -1;
	t->connected = 1;
	return 0;
}

/* --- signing -------------------------------------------------------------------- */

/* RFC 8017, 9.2 note 1: DigestInfo, for SHA-256, SHA-384 and SHA-512. */
static size_t
digest_info(const struct signature_alg *alg, const unsigned char *md, size_t len,
    unsigned char *out)
{
	const unsigned char	sha = alg->digest == DSIG_SHA256 ? 1 : alg->digest == DSIG_SHA384 ? 2 : 3;
	const unsigned char	head[] = { 0x30, (unsigned char)(17 + len), 0x30, 0x0d, 0x06, 0x09,
	    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, sha, 0x05, 0x00, 0x04,
	    (unsigned char)len };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), md, len);
	return sizeof(head) + len;
}

static int
sign_now(struct token *t, const struct signature_alg *alg, const unsigned char *md,
    size_t md_len, unsigned char *sig, size_t *sig_len)
{
	CK_MECHANISM	mechanism = { CKM_ECDSA, NULL, 0 };
	unsigned char	input[EVP_MAX_MD_SIZE + 32];
	CK_ULONG	len = *sig_len;
	CK_RV		rv;

	if (alg->key_type == EVP_PKEY_RSA) {
		mechanism.mechanism = CKM_RSA_PKCS;
		md_len = digest_info(alg, md, md_len, input);
	} else
		memcpy(input, md, md_len);
	if ((rv = t->f->C_SignInit(t->session, &mechanism, t->key)) != CKR_OK)
		return failed(t, "beginning to sign", rv);
	if (t->each_time == CK_TRUE && log_in(t, CKU_CONTEXT_SPECIFIC, NULL) == -1)
		return -1;
	if ((rv = t->f->C_Sign(t->session, input, md_len, sig, &len)) != CKR_OK)
		return failed(t, "signing", rv);
	*sig_len = len;
	return 0;
}

/* Each cause once, however often it is tried. */
static void
tell(struct token *t)
{
	if (strcmp(t->why, t->told) != 0)
		log_alarm("signing key %s: %s", t->name, t->why);
	(void)str_copy(t->told, sizeof(t->told), t->why);
}

static int
tell_back(struct token *t)
{
	if (t->told[0] != '\0')
		log_info("signing key %s: it is there again", t->name);
	t->told[0] = '\0';
	return 0;
}

static int
ready(struct token *t)
{
	if (!t->connected && connect_token(t) == -1) {
		disconnect(t);
		tell(t);
		return -1;
	}
	return 0;
}

static int
token_ready(void *arg)
{
	struct token	*t = arg;
	int		 rc;

	(void)alarm(t->timeout);
	rc = ready(t);
	(void)alarm(0);
	return rc;
}

static int
sign_again(struct token *t, const struct signature_alg *alg, const unsigned char *md,
    size_t md_len, unsigned char *sig, size_t *sig_len)
{
	size_t		 room = *sig_len;
	int		 was_connected = t->connected;

	if (ready(t) == -1)
		return -1;
	if (sign_now(t, alg, md, md_len, sig, sig_len) == 0)
		return tell_back(t);
	disconnect(t);
	/* the token may be there again already, and only the session be old */
	if (was_connected && ready(t) == 0) {
		*sig_len = room;
		if (sign_now(t, alg, md, md_len, sig, sig_len) == 0)
			return tell_back(t);
		disconnect(t);
	}
	tell(t);
	return -1;
}

static int
token_sign(void *arg, const struct signature_alg *alg, const unsigned char *md,
    size_t md_len, unsigned char *sig, size_t *sig_len)
{
	struct token	*t = arg;
	int		 rc;

	(void)alarm(t->timeout);
	rc = sign_again(t, alg, md, md_len, sig, sig_len);
	(void)alarm(0);
	return rc;
}

/* --- making one ------------------------------------------------------------------- */

static void
token_free(void *arg)
{
	struct token	*t = arg;

	if (t == NULL)
		return;
	disconnect(t);
	if (t->pin != NULL)
		OPENSSL_cleanse(t->pin, t->pin_len);
	free(t->pin);
	if (t->uri != NULL)
		p11_kit_uri_free(t->uri);
	if (t->library != NULL)
		(void)dlclose(t->library);
	free(t->name);
	free(t);
}

/* NULL with the cause logged, without repeating what may be a secret. */
static P11KitUri *
parse_uri(const char *text)
{
	P11KitUri	*uri = p11_kit_uri_new();
	int		 rc;

	if (uri == NULL)
		return NULL;
	rc = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri);
	if (rc != P11_KIT_URI_OK)
		log_warnx("signing key: a pkcs11: URI that cannot be read: %s",
		    p11_kit_uri_message(rc));
	else if (p11_kit_uri_get_pin_value(uri) != NULL)
		log_warnx("signing key: the URI must not hold the PIN (pin-value): a file does");
	else if (p11_kit_uri_any_unrecognized(uri))
		log_warnx("signing key: %s: names something that is not known here", text);
	else
		return uri;
	p11_kit_uri_free(uri);
	return NULL;
}

int
token_pin_source(const char *text, char **path)
{
	P11KitUri	*uri = parse_uri(text);
	const char	*source;

	*path = NULL;
	if (uri == NULL)
		return -1;
	if ((source = p11_kit_uri_get_pin_source(uri)) != NULL)
		*path = xstrdup(strncmp(source, "file:", 5) == 0 ? source + 5 : source);
	p11_kit_uri_free(uri);
	return 0;
}

static int
load_module(struct token *t, const char *module)
{
	CK_RV		(*list)(CK_FUNCTION_LIST **);
	const char	*path = module;

	if (path == NULL)
		path = p11_kit_uri_get_module_path(t->uri);
	if (path == NULL)
		path = PKCS11_PROXY_MODULE;
	if ((t->library = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		log_warnx("PKCS#11 module: %s", dlerror());
		return -1;
	}
	*(void **)&list = dlsym(t->library, "C_GetFunctionList");
	if (list == NULL || list(&t->f) != CKR_OK || t->f == NULL || t->f->version.major != 2) {
		log_warnx("%s: is no PKCS#11 module", path);
		return -1;
	}
	return 0;
}

struct signing_key *
token_key_new(const char *uri, const char *module, const char *pin, size_t pin_len,
    unsigned timeout, const char *certs_pem, size_t certs_len)
{
	struct remote_key	 remote = { token_ready, token_sign, token_free, NULL };
	struct token		*t = xcalloc(1, sizeof(*t));

	remote.arg = t;
	t->timeout = timeout;
	t->name = xstrdup(uri);
	if (pin != NULL) {
		t->pin = xcalloc(1, pin_len + 1);
		memcpy(t->pin, pin, pin_len);
		t->pin_len = pin_len;
	}
	if ((t->uri = parse_uri(uri)) == NULL || load_module(t, module) == -1) {
		token_free(t);
		return NULL;
	}
	return signing_key_new_remote(&remote, certs_pem, certs_len);
}

#endif /* WITH_PKCS11 */
