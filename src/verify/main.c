/* SPDX-License-Identifier: ISC */
/*
 * muhur-verify: judges one document and exits.  What it needs is read and
 * compiled before the sandbox; then it holds a read-only document, the
 * channel, and the write end of the records pipe, and can open nothing more.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "depot/material.h"
#include "document/pipeline.h"
#include "msg/proto.h"
#include "msg/stream.h"
#include "xml/crl.h"

struct verify {
	struct conf		*conf;
	struct schema_set	*schemas;
	struct trust		*trust[MEMBER_KIND_COUNT];	/* 0: of all that have none of their own */
	struct trust		*tsa;
	struct material		*seen;		/* every byte that documents are judged by */
	char			 material[SHA256_HEX_SIZE];
	struct msg_chan		 chan;
	struct m_submission	 sub;
	int			 document, pipe;
	int			 reader_gone;
};

/* --- the records pipe ---------------------------------------------------- */

/* A reader that ended has dropped the document, for reasons of its own that
 * muhurd learns of; the verdict is owed all the same. */
static int
sent(struct verify *v, int rc)
{
	if (rc == 0)
		return 0;
	if (errno != EPIPE) {
		log_alarm("submission %s: records pipe: %s", v->sub.id, strerror(errno));
		return -1;
	}
	log_debug("submission %s: nobody reads the records", v->sub.id);
	v->reader_gone = 1;
	return 0;
}

static int
send_header(void *arg, const struct header *h)
{
	struct verify *v = arg;

	return v->reader_gone ? 0 : sent(v, stream_write_header(v->pipe, h));
}

static int
send_records(void *arg, enum record_kind kind, const char *lines, size_t len)
{
	struct verify *v = arg;

	return v->reader_gone ? 0 : sent(v, stream_write_records(v->pipe, kind, lines, len));
}

static int
send_restart(void *arg)
{
	struct verify *v = arg;

	return v->reader_gone ? 0 : sent(v, stream_write_mark(v->pipe, STREAM_RESTART));
}

static int
send_end(struct verify *v)
{
	return v->reader_gone ? 0 : sent(v, stream_write_mark(v->pipe, STREAM_END));
}

/* --- the document -------------------------------------------------------- */

static int
send_verdict(struct verify *v, const struct document_verdict *d)
{
	struct m_verdict *m = xcalloc(1, sizeof(*m));
	struct buf b = { .data = NULL };
	int rc;

	(void)str_copy(m->id, sizeof(m->id), v->sub.id);
	(void)str_copy(m->sha256, sizeof(m->sha256), d->sha256);
	m->signature_valid = d->signature_valid;
	(void)str_copy(m->cert_sha256, sizeof(m->cert_sha256), d->cert_sha256);
	(void)str_copy(m->signer_subject, sizeof(m->signer_subject), d->signer_subject);
	(void)str_copy(m->signer_issuer, sizeof(m->signer_issuer), d->signer_issuer);
	(void)str_copy(m->signer_serial, sizeof(m->signer_serial), d->signer_serial);
	m->signing_time = d->signing_time;
	(void)str_copy(m->policy, sizeof(m->policy), d->policy);
	m->timestamp = d->timestamp;
	m->reasons = d->reasons;
	m->crls = d->crls;
	(void)str_copy(m->material, sizeof(m->material), v->material);
	put_m_verdict(&b, m);
	rc = msg_send(&v->chan, M_VERDICT, 0, b.data, b.len, NULL, 0);
	while (rc == 0 && msg_wants_write(&v->chan))
		rc = msg_flush(&v->chan);
	buf_free(&b);
	free(m);
	return rc;
}

/* Not to be found in the notice, since nothing follows from it. */
static void
log_timestamp(const struct verify *v, const struct timestamp *t)
{
	char at[TIME_SIZE];

	if (t->state == TIMESTAMP_GOOD) {
		time_format(t->at, at);
		log_info("submission %s: time-stamp of %s, by %s", v->sub.id, at, t->authority);
	} else if (t->state == TIMESTAMP_BAD)
		log_warnx("submission %s: its time-stamp does not verify, and does not count: %s",
		    v->sub.id, t->why);
}

/* The trust of the uploader's member's kind.  Whoever it is has logged in, so
 * the kind is known; were it not, no anchors could be chosen. */
static const struct trust *
trust_of(const struct verify *v)
{
	int k;

	if (v->sub.kind == MEMBER_UNKNOWN)
		for (k = 0; k < MEMBER_KIND_COUNT; k++)
			if (v->trust[k] != NULL && k != MEMBER_UNKNOWN)
				fatalx("submission %s: the kind of its member is not known", v->sub.id);
	return v->trust[v->sub.kind] != NULL ? v->trust[v->sub.kind] : v->trust[MEMBER_UNKNOWN];
}

/* 0, or -1: no verdict was reached or it could not be told. */
static int
judge(struct verify *v)
{
	const struct conf *c = v->conf;
	struct document_settings s = {
		.trust = trust_of(v),
		.tsa = v->tsa,
		.schemas = v->schemas,
		.profile = c->signature_profile,
		.at = v->sub.received_at,
		.require_crl = c->require_crl,
		.signing_time_past = c->signing_time_past,
		.signing_time_future = c->signing_time_future,
		.policies = c->signature_policies,
		.npolicies = c->nsignature_policies,
		.max_size = c->max_document_size,
	};
	struct document_sink sink = { send_header, send_records, send_restart, v };
	struct document_verdict *d = xcalloc(1, sizeof(*d));
	int rc = -1;

	if (document_judge(v->document, &s, &sink, d) == -1 || send_end(v) == -1)
		goto out;
	log_debug("submission %s: %s", v->sub.id, d->reasons.n == 0 ? "valid" :
	    reason_info(d->reasons.v[0].code)->name);
	log_timestamp(v, &d->timestamp);
	close(v->pipe);
	v->pipe = -1;
	rc = send_verdict(v, d);
out:
	free(d);
	return rc;
}

/* muhurd could only allow for the largest document there may be. */
static void
limit_cpu(int64_t size)
{
	rlim_t most = VERIFY_CPU_BASE + (rlim_t)(size / DOCUMENT_RATE);
	struct rlimit r;

	if (getrlimit(RLIMIT_CPU, &r) == -1)
		fatal("RLIMIT_CPU");
	if (r.rlim_max != RLIM_INFINITY && r.rlim_max <= most)
		return;
	r.rlim_cur = r.rlim_max = most;
	if (setrlimit(RLIMIT_CPU, &r) == -1)
		fatal("RLIMIT_CPU");
}

/* The one document: 1 it came, 0 muhurd has none and closed. */
static int
wait_document(struct verify *v)
{
	struct msg m;
	int n;

	n = msg_recv_wait(&v->chan, &m, -1);
	if (n == -1 && errno == 0)
		return 0;
	if (n != 1)
		fatal("channel");
	if (m.type != M_VERIFY || m.nfds != 2 || get_m_submission(&m, &v->sub) == -1)
		fatalx("channel: %s where M_VERIFY belongs", msg_type_name(m.type));
	limit_cpu(v->sub.size);
	v->document = m.fds[0];
	v->pipe = m.fds[1];
	return 1;
}

/* --- set-up -------------------------------------------------------------- */

/* 1, or 0 where muhurd gave no such descriptor. */
static int
read_crls(const struct verify *v, struct crl_set *set, int fd, enum material_slot slot)
{
	char name[MATERIAL_NAME_SIZE];
	char *pem;
	size_t len;

	if (fd_read_all(fd, CRL_MAX_FILE, &pem, &len) == -1) {
		if (errno != EBADF)
			fatal("revocation lists");
		return 0;
	}
	material_add(v->seen, material_name(slot, name), pem, len, NULL);
	/* One that is empty is being written: of no use to anybody, and no reason
	 * to refuse what comes meanwhile. */
	if ((len > 0 || v->conf->require_crl) && crl_set_read(set, pem, len) == -1)
		fatalx("the revocation lists cannot be used");
	free(pem);
	return 1;
}

/* What was fetched and the operator's file, either may be missing.  Of each
 * issuer's only the newest counts: OpenSSL would take an older one that still
 * holds before a newer one that does not, and so lose who was revoked since.  They
 * are of signers' authorities and of those of time-stamps. */
static void
load_crls(struct verify *v)
{
	struct crl_set set = { 0 };
	size_t i;
	int k;

	if (read_crls(v, &set, FD_CRL_FETCHED, MATERIAL_CRLS) + read_crls(v, &set, FD_CRL, MATERIAL_CRL) == 0 && v->conf->require_crl)
		fatalx("there are no revocation lists");
	for (i = 0; i < set.n; i++) {
		for (k = 0; k < MEMBER_KIND_COUNT; k++)
			if (v->trust[k] != NULL && trust_add_crl(v->trust[k], set.v[i].x) == -1)
				fatalx("the revocation lists cannot be used");
		if (v->tsa != NULL && trust_add_crl(v->tsa, set.v[i].x) == -1)
			fatalx("the revocation lists cannot be used");
	}
	crl_set_free(&set);
}

static struct trust *
load_anchors(const struct verify *v, int fd, const char *what, unsigned slot)
{
	char name[MATERIAL_NAME_SIZE];
	struct trust *t;
	char *pem;
	size_t len;

	if (fd_read_all(fd, TRUST_MAX_ANCHORS, &pem, &len) == -1)
		fatal("%s", what);
	material_add(v->seen, material_name(slot, name), pem, len, NULL);
	if ((t = trust_new(pem, len)) == NULL)
		fatalx("the %s cannot be used", what);
	trust_set_crl_grace(t, v->conf->crl_grace);
	free(pem);
	return t;
}

static struct trust *
load_kind(const struct verify *v, enum member_kind kind)
{
	const struct conf_trust *own = &v->conf->trust[kind];
	struct trust *t = load_anchors(v, FD_KIND_ANCHORS + kind - 1, "trust anchors", MATERIAL_KIND + kind);
	size_t i;

	for (i = 0; i < own->npolicies; i++)
		if (trust_add_policy(t, own->policies[i]) == -1)
			fatalx("the trust anchors cannot be used");
	return t;
}

static void
load_trust(struct verify *v)
{
	int k;

	v->trust[MEMBER_UNKNOWN] = load_anchors(v, FD_ANCHORS, "trust anchors", MATERIAL_ANCHORS);
	for (k = 1; k < MEMBER_KIND_COUNT; k++)
		if (v->conf->trust[k].set)
			v->trust[k] = load_kind(v, (enum member_kind)k);
	if (v->conf->tsa_anchors != NULL)
		v->tsa = load_anchors(v, FD_TSA, "time-stamp authorities", MATERIAL_TSA);
	load_crls(v);
}

static void
schema_seen(void *arg, const char *file, const void *data, size_t len)
{
	char name[MATERIAL_NAME_SIZE];

	material_add(arg, material_schema_name(file, name), data, len, NULL);
}

static void
set_up(struct verify *v, int argc, char *argv[])
{
	v->conf = child_init("muhur-verify", argc, argv);
	if (document_init() == -1)
		fatalx("the XML libraries cannot be set up");
	v->seen = material_new();
	if ((v->schemas = schema_set_load_seen(FD_SCHEMAS, schema_seen, v->seen)) == NULL)
		fatalx("the schemas cannot be used");
	load_trust(v);
	if (material_end(v->seen, v->material, NULL, NULL) == -1)
		fatalx("what documents are judged by cannot be told");
	material_free(v->seen);
	close(FD_SCHEMAS);
	close(FD_ANCHORS);
	close(FD_CRL);
	close_from(FD_CRL_FETCHED);
	msg_init(&v->chan, FD_CHANNEL, ROLE_VERIFY, ROLE_MUHURD);
	if (sandbox_enter(v->conf->sandbox, SB_STDIO | SB_PASSFD, NULL, 0) == -1)
		fatalx("no sandbox: not started");
}

int
main(int argc, char *argv[])
{
	struct verify v = { .document = -1, .pipe = -1 };
	int rc = 0, k;

	set_up(&v, argc, argv);
	if (msg_send(&v.chan, M_READY, 0, NULL, 0, NULL, 0) == -1)
		fatalx("channel: muhurd is gone");
	if (wait_document(&v))
		rc = judge(&v);
	if (v.pipe != -1)
		close(v.pipe);
	msg_close(&v.chan);
	schema_set_free(v.schemas);
	for (k = 0; k < MEMBER_KIND_COUNT; k++)
		trust_free(v.trust[k]);
	trust_free(v.tsa);
	conf_free(v.conf);
	return rc == 0 ? 0 : EXIT_FAILURE;
}
