/* SPDX-License-Identifier: ISC */
#include "xml/trust.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "xml/alg.h"
#include "xml/cert.h"
#include "xml/openssl.h"

#define PATH	"ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate"
/* OpenSSL's level of 112 bits: no RSA below 2048 and no SHA-1 in the chain, as
 * in the signature itself; X509_VERIFY_PARAM_set_flags(3) has the levels. */
#define AUTH_LEVEL	2

/* OpenSSL's own, behind note_crl. */
static X509_STORE_CTX_cert_crl_fn	builtin_cert_crl;

struct trust {
	X509_STORE	*store;		/* roots and CRLs */
	STACK_OF(X509)	*intermediates;	/* sub-CAs of the anchors' file */
	int		 have_crls;
	STACK_OF(ASN1_OBJECT) *policies;	/* NULL: any */
	int		 crl_grace;	/* seconds */
	int		 partial;	/* anchors that are no roots count as well */
	usec_t		 store_at;	/* trust_store: when it judges */
};

const char *
revocation_name(enum revocation r)
{
	switch (r) {
	case REVOCATION_GOOD:
		return "good";
	case REVOCATION_REVOKED:
		return "revoked";
	case REVOCATION_UNKNOWN:
		return "unknown";
	case REVOCATION_NOT_JUDGED:
		break;
	}
	return "not-judged";
}

/* Did the PEM reader stop because nothing more is there? */
static int
pem_ended(void)
{
	unsigned long	e = ERR_peek_last_error();

	if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
		return 0;
	ERR_clear_error();
	return 1;
}

static int
add_anchor(struct trust *t, X509 *cert)
{
	if (X509_self_signed(cert, 1) == 1)
		return X509_STORE_add_cert(t->store, cert) == 1 ? 0 : -1;
	ERR_clear_error();
	if (sk_X509_push(t->intermediates, cert) == 0)
		return -1;
	return X509_up_ref(cert) == 1 ? 0 : -1;
}

static int note_crl(X509_STORE_CTX *ctx, X509_CRL *crl, X509 *cert);

/* A store that notes which CRLs are looked at.  NULL: out of memory. */
static X509_STORE *
new_store(void)
{
	X509_STORE	*store = X509_STORE_new();
	X509_STORE_CTX	*ctx = X509_STORE_CTX_new();

	if (store != NULL && ctx != NULL && X509_STORE_CTX_init(ctx, store, NULL, NULL) == 1) {
		builtin_cert_crl = X509_STORE_CTX_get_cert_crl(ctx);
		X509_STORE_set_cert_crl(store, note_crl);
	} else {
		X509_STORE_free(store);
		store = NULL;
	}
	X509_STORE_CTX_free(ctx);
	return store;
}

struct trust *
trust_new(const char *anchors, size_t len)
{
	struct trust	*t = xcalloc(1, sizeof(*t));
	BIO		*bio = NULL;
	X509		*cert;
	int		 n = 0;

	t->store = new_store();
	t->intermediates = sk_X509_new_null();
	bio = BIO_new_mem_buf(anchors, (int)len);
	if (t->store == NULL || t->intermediates == NULL || bio == NULL)
		goto fail;
	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, openssl_no_password, NULL)) != NULL) {
		if (add_anchor(t, cert) == -1) {
			X509_free(cert);
			goto fail;
		}
		X509_free(cert);
		n++;
	}
	if (!pem_ended())
		goto fail;
	BIO_free(bio);
	if (n == 0 || sk_X509_OBJECT_num(X509_STORE_get0_objects(t->store)) == 0) {
		log_warnx("trust anchors: no self-signed certificate among %d", n);
		trust_free(t);
		return NULL;
	}
	return t;
fail:
	openssl_log("trust anchors");
	BIO_free(bio);
	trust_free(t);
	return NULL;
}

struct trust *
trust_new_partial(X509 *const *certs, size_t n)
{
	struct trust	*t = xcalloc(1, sizeof(*t));
	size_t		 i;

	t->partial = 1;
	t->store = new_store();
	t->intermediates = sk_X509_new_null();
	for (i = 0; i < n && t->store != NULL; i++) {
		if (X509_STORE_add_cert(t->store, certs[i]) != 1)
			break;
	}
	if (t->store == NULL || t->intermediates == NULL || i < n) {
		openssl_log("trust anchors");
		trust_free(t);
		return NULL;
	}
	return t;
}

int
trust_add_crls(struct trust *t, const char *crls, size_t len)
{
	BIO		*bio;
	X509_CRL	*crl;
	int		 n = 0, rc = 0;

	ERR_clear_error();
	if ((bio = BIO_new_mem_buf(crls, (int)len)) == NULL) {
		openssl_log("CRL");
		return -1;
	}
	while (rc == 0 && (crl = PEM_read_bio_X509_CRL(bio, NULL, openssl_no_password, NULL)) != NULL) {
		if (X509_STORE_add_crl(t->store, crl) != 1)
			rc = -1;
		X509_CRL_free(crl);
		n++;
	}
	if (rc == 0 && !pem_ended())
		rc = -1;
	BIO_free(bio);
	if (rc == -1)
		openssl_log("CRL");
	else if (n == 0)
		log_warnx("CRL: none in PEM");
	else
		t->have_crls = 1;
	return rc == 0 && n > 0 ? 0 : -1;
}

int
trust_add_crl(struct trust *t, X509_CRL *crl)
{
	if (X509_STORE_add_crl(t->store, crl) != 1) {
		openssl_log("CRL");
		return -1;
	}
	t->have_crls = 1;
	return 0;
}

void
trust_set_crl_grace(struct trust *t, int seconds)
{
	t->crl_grace = seconds;
}

int
trust_add_policy(struct trust *t, const char *oid)
{
	ASN1_OBJECT	*o = OBJ_txt2obj(oid, 1);

	if (o == NULL) {
		ERR_clear_error();
		log_warnx("certificate policy %s: is no object identifier", oid);
		return -1;
	}
	if ((t->policies == NULL && (t->policies = sk_ASN1_OBJECT_new_null()) == NULL) ||
	    sk_ASN1_OBJECT_push(t->policies, o) == 0)
		fatalx("trust: out of memory");
	return 0;
}

/* May this one sign CRLs (RFC 5280 4.2.1.3)?  A missing extension names all. */
static enum crl_signature
crl_signed_by(X509_CRL *crl, X509 *issuer)
{
	if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_CRL_get_issuer(crl)) != 0)
		return CRL_ISSUER_UNKNOWN;
	if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1) {
		ERR_clear_error();
		return CRL_NOT_SIGNED;
	}
	return (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0 ? CRL_SIGNED : CRL_ISSUER_MAY_NOT;
}

/* Two authorities may bear one name, before and after a change of key: the best
 * that is found counts. */
enum crl_signature
trust_crl_signature(const struct trust *t, X509_CRL *crl)
{
	STACK_OF(X509_OBJECT)	*roots = X509_STORE_get0_objects(t->store);
	enum crl_signature	 best = CRL_ISSUER_UNKNOWN, one;
	X509			*cert;
	int			 i;

	for (i = 0; i < sk_X509_OBJECT_num(roots); i++) {
		if ((cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(roots, i))) != NULL &&
		    (one = crl_signed_by(crl, cert)) > best)
			best = one;
	}
	for (i = 0; i < sk_X509_num(t->intermediates); i++)
		if ((one = crl_signed_by(crl, sk_X509_value(t->intermediates, i))) > best)
			best = one;
	return best;
}

int
trust_within(const struct trust *t, const struct trust *other)
{
	STACK_OF(X509_OBJECT)	*roots = X509_STORE_get0_objects(t->store);
	X509_OBJECT		*o;
	int			 i;

	for (i = 0; i < sk_X509_OBJECT_num(roots); i++) {
		o = sk_X509_OBJECT_value(roots, i);
		if (X509_OBJECT_get_type(o) == X509_LU_X509 &&
		    X509_OBJECT_retrieve_match(X509_STORE_get0_objects(other->store), o) == NULL)
			return 0;
	}
	return 1;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->store);
	sk_X509_pop_free(t->intermediates, X509_free);
	sk_ASN1_OBJECT_pop_free(t->policies, ASN1_OBJECT_free);
	free(t);
}

/* What OpenSSL's faults mean to a member.  Those that are not here are
 * CERT_UNTRUSTED, in OpenSSL's words. */
static const struct fault {
	int		 error;
	enum reason_code code;
	int		 void_crl;	/* the CRL says nothing, not even who is revoked */
	const char	*words;		/* NULL: OpenSSL's */
} faults[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, CERT_EXPIRED, 0, "expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, CERT_EXPIRED, 0, "not yet valid" },
	{ X509_V_ERR_CERT_REVOKED, CERT_REVOKED, 0, "revoked by its issuer" },
	/* RFC 5280 5.2 and 6.3.3.  An old CRL still tells who is revoked. */
	{ X509_V_ERR_UNABLE_TO_GET_CRL, CERT_REVOCATION_UNKNOWN, 0,
	    "no CRL of its issuer is at hand" },
	{ X509_V_ERR_CRL_HAS_EXPIRED, CERT_REVOCATION_UNKNOWN, 0,
	    "the CRL of its issuer is out of date" },
	{ X509_V_ERR_CRL_NOT_YET_VALID, CERT_REVOCATION_UNKNOWN, 0,
	    "the CRL of its issuer is not yet valid" },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, CERT_REVOCATION_UNKNOWN, 1,
	    "who issued the CRL is not known" },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, CERT_REVOCATION_UNKNOWN, 1, NULL },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, CERT_REVOCATION_UNKNOWN, 1,
	    "the CRL was not signed with its issuer's key" },
	{ X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, CERT_REVOCATION_UNKNOWN, 1, NULL },
	{ X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, CERT_REVOCATION_UNKNOWN, 1, NULL },
	{ X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, CERT_REVOCATION_UNKNOWN, 1,
	    "its issuer's key may not sign CRLs (key usage)" },
	{ X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, CERT_REVOCATION_UNKNOWN, 1,
	    "the CRL has a critical extension that is not known" },
	{ X509_V_ERR_DIFFERENT_CRL_SCOPE, CERT_REVOCATION_UNKNOWN, 1,
	    "the CRL is not meant for such certificates" },
	{ X509_V_ERR_CRL_PATH_VALIDATION_ERROR, CERT_REVOCATION_UNKNOWN, 1,
	    "the CRL's issuer is not trusted" },
	{ X509_V_ERR_INVALID_PURPOSE, CERT_USAGE, 0, NULL },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, SIG_ALGORITHM, 0, NULL },
	/* RFC 5280 6.1 */
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERT_UNTRUSTED, 0,
	    "its issuer's certificate is neither trusted nor in KeyInfo" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CERT_UNTRUSTED, 0,
	    "self-signed, and not trusted" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, CERT_UNTRUSTED, 0, "a root that is not trusted" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, CERT_UNTRUSTED, 0,
	    "not signed with its issuer's key" },
	{ X509_V_ERR_INVALID_CA, CERT_UNTRUSTED, 0,
	    "it may not issue certificates (basicConstraints, key usage)" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, CERT_UNTRUSTED, 0,
	    "too many CAs below it (pathLenConstraint)" },
	{ X509_V_ERR_PERMITTED_VIOLATION, CERT_UNTRUSTED, 0,
	    "a CA above it may not give such a name (name constraints)" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, CERT_UNTRUSTED, 0,
	    "a CA above it may not give such a name (name constraints)" },
	{ X509_V_ERR_NO_EXPLICIT_POLICY, CERT_UNTRUSTED, 0,
	    "not issued under a policy that is demanded, here or by a CA above it" },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, CERT_UNTRUSTED, 0,
	    "it has a critical extension that is not known" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, CERT_UNTRUSTED, 0, "its key is too weak" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, CERT_UNTRUSTED, 0,
	    "its issuer signed it with too weak a digest" },
};

static const struct fault *
fault_of(int error)
{
	static const struct fault	 unknown = { 0, CERT_UNTRUSTED, 0, NULL };
	size_t				 i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i].error == error)
			return &faults[i];
	return &unknown;
}

/* RFC 5280 4.2.1.3 and 4.2.1.9. */
static void
judge_usage(X509 *cert, struct reasons *rs)
{
	uint32_t	 usage = X509_get_key_usage(cert);
	const char	*why;
	int		 ca = X509_check_ca(cert);

	if (ca == 1 || ca == 4)		/* basicConstraints, or keyCertSign */
		reasons_add(rs, CERT_USAGE, 0, PATH, "a CA's certificate may not sign documents");
	/* Without the extension every usage is set: then nobody vouched for this one. */
	if (usage == UINT32_MAX || (usage & KU_NON_REPUDIATION) == 0)
		reasons_add(rs, CERT_USAGE, 0, PATH, usage == UINT32_MAX ?
		    "no key usage, where nonRepudiation (contentCommitment) is demanded" :
		    "key usage without nonRepudiation (contentCommitment)");
	if (!reasons_has(rs, SIG_ALGORITHM) && !alg_key_ok(X509_get0_pubkey(cert), &why))
		reasons_add(rs, SIG_ALGORITHM, 0, PATH, "%s", why);
}

/* Untrusted helpers: the anchors' sub-CAs and what KeyInfo brought. */
static STACK_OF(X509) *
helpers(const struct trust *t, STACK_OF(X509) *others)
{
	STACK_OF(X509)	*all = sk_X509_dup(t->intermediates);
	int		 i;

	for (i = 0; all != NULL && others != NULL && i < sk_X509_num(others); i++)
		(void)sk_X509_push(all, sk_X509_value(others, i));
	return all;
}

static void
set_parameters(const struct trust *t, X509_VERIFY_PARAM *param, usec_t at, int crls)
{
	/* policies: an authority may demand one of those it names (6.1, m to w) */
	unsigned long		 flags = X509_V_FLAG_X509_STRICT |
				    X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK;
	STACK_OF(ASN1_OBJECT)	*any;

	if (crls)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
		    X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
	if (t->partial)
		flags |= X509_V_FLAG_PARTIAL_CHAIN;
	/* user-initial-policy-set, initial-explicit-policy (6.1.1 c, e) */
	if (t->policies != NULL)
		flags |= X509_V_FLAG_EXPLICIT_POLICY;
	if ((any = sk_ASN1_OBJECT_new_null()) == NULL ||
	    sk_ASN1_OBJECT_push(any, OBJ_nid2obj(NID_any_policy)) == 0 ||
	    X509_VERIFY_PARAM_set1_policies(param, t->policies != NULL ? t->policies : any) != 1 ||
	    X509_VERIFY_PARAM_set_flags(param, flags) != 1)
		fatalx("trust: out of memory");
	sk_ASN1_OBJECT_free(any);
	X509_VERIFY_PARAM_set_time(param, (time_t)(at / USEC_PER_SEC));
	X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
}

struct judgement {
	struct reasons	*rs;
	const struct trust *t;
	usec_t		 at;
	struct crls_used *used;		/* may be NULL */
	const X509_CRL	*void_crl;	/* the last one that says nothing; NULL none */
};

static void
add_fault(struct reasons *rs, const struct fault *f, X509_STORE_CTX *ctx)
{
	X509		*cert = X509_STORE_CTX_get_current_cert(ctx);
	const char	*words = f->words;
	int		 depth = X509_STORE_CTX_get_error_depth(ctx);

	if (f->code == SIG_ALGORITHM)
		(void)alg_key_ok(X509_get0_pubkey(X509_STORE_CTX_get0_cert(ctx)), &words);
	/* nobody counts as the issuer of such a one */
	if (f->code == CERT_UNTRUSTED && cert != NULL && (X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0)
		words = "an extension of it cannot be read";
	if (words == NULL)
		words = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	if (depth == 0)
		reasons_add(rs, f->code, 0, PATH, "the signer's certificate: %s", words);
	else
		reasons_add(rs, f->code, 0, PATH, "the certificate %d above the signer's: %s",
		    depth, words);
}

/* An authority that is late with its next CRL, and not by more than the grace. */
static int
in_grace(const struct trust *t, usec_t at, X509_STORE_CTX *ctx)
{
	X509_CRL	*crl = X509_STORE_CTX_get0_current_crl(ctx);
	usec_t		 next;

	return t->crl_grace > 0 && crl != NULL && X509_CRL_get0_nextUpdate(crl) != NULL &&
	    cert_time(X509_CRL_get0_nextUpdate(crl), &next) == 0 &&
	    at < next + t->crl_grace * USEC_PER_SEC;
}

/* Faults of time and revocation do not end the search: all are reported. */
static int
on_fault(int ok, X509_STORE_CTX *ctx)
{
	struct judgement	*j = X509_STORE_CTX_get_app_data(ctx);
	const struct fault	*f = fault_of(X509_STORE_CTX_get_error(ctx));
	const X509_CRL		*crl = X509_STORE_CTX_get0_current_crl(ctx);

	if (ok)
		return 1;
	/* The path of a CRL's issuer who is not of the signer's path (6.3.3 f)
	 * has a context of its own, without our data.  A fault there is none of
	 * the signer's: it ends that path, and then the CRL does not count. */
	if (X509_STORE_CTX_get0_parent_ctx(ctx) != NULL)
		return 0;
	if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CRL_HAS_EXPIRED && in_grace(j->t, j->at, ctx))
		return 1;
	if (f->void_crl)
		j->void_crl = crl;
	if (f->code == CERT_REVOKED && crl != NULL && j->void_crl == crl)
		return 1;
	if (!reasons_has(j->rs, f->code))
		add_fault(j->rs, f, ctx);
	return f->code == CERT_EXPIRED || f->code == CERT_REVOKED ||
	    f->code == CERT_REVOCATION_UNKNOWN;
}

static void
note(struct crls_used *used, const X509_CRL *crl)
{
	unsigned char	md[EVP_MAX_MD_SIZE];
	char		hex[SHA256_HEX_SIZE];
	unsigned int	len;
	size_t		i;

	if (X509_CRL_digest(crl, EVP_sha256(), md, &len) != 1)
		fatalx("trust: the SHA-256 of a CRL cannot be computed");
	hex_encode(md, SHA256_SIZE, hex);
	for (i = 0; i < used->n; i++)
		if (strcmp(used->sha256[i], hex) == 0)
			return;
	if (used->n < CRLS_USED_MAX)
		(void)str_copy(used->sha256[used->n++], SHA256_HEX_SIZE, hex);
}

/* A CRL is asked about a certificate of the chain, or, in a context of its
 * own, of the path of the CRL's issuer.  OpenSSL's own users of the store have
 * no data of ours. */
static int
note_crl(X509_STORE_CTX *ctx, X509_CRL *crl, X509 *cert)
{
	X509_STORE_CTX		*top = ctx, *parent;
	const struct judgement	*j;

	while ((parent = X509_STORE_CTX_get0_parent_ctx(top)) != NULL)
		top = parent;
	if ((j = X509_STORE_CTX_get_app_data(top)) != NULL && j->used != NULL)
		note(j->used, crl);
	return builtin_cert_crl(ctx, crl, cert);
}

static void
judge_chain(const struct trust *t, X509 *cert, STACK_OF(X509) *untrusted, usec_t at,
    int crls, struct crls_used *used, struct reasons *rs)
{
	struct judgement j = { .rs = rs, .t = t, .at = at, .used = used };
	X509_STORE_CTX	*ctx;
	int		 ok;

	ERR_clear_error();
	if ((ctx = X509_STORE_CTX_new()) == NULL ||
	    X509_STORE_CTX_init(ctx, t->store, cert, untrusted) != 1 ||
	    X509_STORE_CTX_set_app_data(ctx, &j) != 1)
		fatalx("trust: out of memory");
	set_parameters(t, X509_STORE_CTX_get0_param(ctx), at, crls);
	X509_STORE_CTX_set_verify_cb(ctx, on_fault);
	ok = X509_verify_cert(ctx);
	if (ok != 1 && rs->n == 0)
		reasons_add(rs, CERT_UNTRUSTED, 0, PATH, "%s",
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
}

void
trust_judge(const struct trust *t, X509 *cert, STACK_OF(X509) *others, usec_t at,
    int require_crl, enum revocation *revocation, struct reasons *rs)
{
	trust_judge_by(t, cert, others, at, require_crl, revocation, NULL, rs);
}

void
trust_judge_by(const struct trust *t, X509 *cert, STACK_OF(X509) *others, usec_t at,
    int require_crl, enum revocation *revocation, struct crls_used *used, struct reasons *rs)
{
	STACK_OF(X509)	*untrusted;
	struct reasons	 found = { 0 };
	int		 crls = require_crl || t->have_crls;
	size_t		 i;

	if ((untrusted = helpers(t, others)) == NULL)
		fatalx("trust: out of memory");
	judge_chain(t, cert, untrusted, at, crls, used, &found);
	sk_X509_free(untrusted);
	if (reasons_has(&found, CERT_REVOKED))
		*revocation = REVOCATION_REVOKED;
	else if (!crls)
		*revocation = REVOCATION_NOT_JUDGED;
	else
		*revocation = found.n == 0 ? REVOCATION_GOOD : REVOCATION_UNKNOWN;
	judge_usage(cert, &found);
	for (i = 0; i < found.n; i++)
		reasons_add(rs, found.v[i].code, 0, found.v[i].path, "%s", found.v[i].detail);
}

static int	trust_index = -1;	/* of the trust that a store belongs to */

/* As on_fault, where the first fault is enough. */
static int
on_store_fault(int ok, X509_STORE_CTX *ctx)
{
	const struct trust *t = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(ctx), trust_index);

	return ok || (X509_STORE_CTX_get0_parent_ctx(ctx) == NULL &&
	    X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CRL_HAS_EXPIRED &&
	    in_grace(t, t->store_at, ctx));
}

X509_STORE *
trust_store(struct trust *t, usec_t at, int require_crl)
{
	if (trust_index == -1)
		trust_index = X509_STORE_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (trust_index == -1 || X509_STORE_set_ex_data(t->store, trust_index, t) != 1)
		fatalx("trust: out of memory");
	t->store_at = at;
	X509_STORE_set_verify_cb(t->store, on_store_fault);
	/* not X509_STORE_set1_param, which keeps a time that was set before */
	set_parameters(t, X509_STORE_get0_param(t->store), at, require_crl || t->have_crls);
	return t->store;
}

STACK_OF(X509) *
trust_helpers(const struct trust *t)
{
	STACK_OF(X509)	*all = X509_chain_up_ref(t->intermediates);

	if (all == NULL)
		fatalx("trust: out of memory");
	return all;
}
