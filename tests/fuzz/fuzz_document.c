/* SPDX-License-Identifier: ISC */
/*
 * Any bytes at all given to document_judge: it must give a verdict, in bounded
 * time, and never VALID.  What it says must be such that the readers of the
 * channels take it (msg/proto.h, msg/stream.h): else a document could make an
 * honest verify look like a broken one.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pipeline.h"
#include "fuzz.h"
#include "root.h"
#include "model/ident.h"
#include "model/record.h"

/* 2026-11-21T23:00:00Z, soon after the corpus was signed: no day changes what is found. */
#define AT	(INT64_C(1795302000) * USEC_PER_SEC)

static struct schema_set *schemas;
static struct trust *trust;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	log_init("fuzz_document", LOG_COMMAND, 0);
	clock_init(0);
	if (document_init() == -1 ||
	    (fd = open(TOP_SRCDIR "/schemas/xml", O_RDONLY | O_DIRECTORY)) == -1 ||
	    (schemas = schema_set_load(fd)) == NULL ||
	    (trust = trust_new(root, strlen(root))) == NULL)
		fatalx("set-up");
	close(fd);
	return 0;
}

static int
is_text(const char *s)
{
	return text_ok(s, strlen(s));
}

static int
header(void *arg, const struct header *h)
{
	size_t i;

	(void)arg;
	CHECK(h->type < MT_COUNT && h->record_count >= 0 && h->ntotals <= CONTROL_TOTALS_MAX);
	CHECK(is_text(h->message_id) && is_text(h->sender) && is_text(h->user) && is_text(h->replaces));
	for (i = 0; i < h->ntotals; i++)
		CHECK(is_text(h->totals[i].asset));
	return 0;
}

static int restart(void *arg) { (void)arg; return 0; }

static int
records(void *arg, enum record_kind kind, const char *lines, size_t len)
{
	const char *p, *end = lines + len;
	size_t fields = 1;

	(void)arg;
	CHECK(kind < REC_COUNT && len > 0 && end[-1] == '\n' && memchr(lines, '\0', len) == NULL);
	for (p = lines; p < end; p++) {
		fields += *p == '\t';
		if (*p == '\n') {	/* behind the record's number and line */
			CHECK(fields == 2 + record_info(kind)->nfields);
			fields = 1;
		}
	}
	return 0;
}

static void
check_verdict(const struct document_verdict *v)
{
	size_t i;

	CHECK(strlen(v->sha256) == SHA256_HEX_SIZE - 1 && v->reasons.n <= REASONS_MAX);
	CHECK(is_text(v->signer_serial) && is_text(v->root) && is_text(v->policy));
	CHECK(is_text(v->timestamp.why) && v->timestamp.state < TIMESTAMP_STATE_COUNT);
	CHECK(v->timestamp.state != TIMESTAMP_GOOD);	/* the root vouches for nobody */
	for (i = 0; i < v->reasons.n; i++) {
		CHECK(v->reasons.v[i].code < REASON_COUNT && v->reasons.v[i].line >= 0);
		CHECK(is_text(v->reasons.v[i].path) && is_text(v->reasons.v[i].detail));
	}
}

static int
judge(int fd, int submission, enum signature_profile profile)
{
	struct document_settings s = { .trust = trust, .tsa = trust,
	    .policies = signature_policies_default, .npolicies = SIGNATURE_POLICIES_DEFAULT,
	    .schemas = submission ? schemas : NULL, .any_document = !submission, .profile = profile, .at = AT,
	    .signing_time_past = submission ? 172800 : -1, .signing_time_future = 300 };
	struct document_sink sink = { header, records, restart, NULL };
	struct document_verdict *v = xcalloc(1, sizeof(*v));
	int valid;

	CHECK(document_judge(fd, &s, &sink, v) == 0);
	check_verdict(v);
	valid = v->reasons.n == 0;
	free(v);
	return valid;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", 0);

	if (fd == -1 || write_full(fd, data, size) == -1)
		fatal("memfd");
	CHECK(!judge(fd, 1, PROFILE_XADES));
	CHECK(!judge(fd, 0, PROFILE_XMLDSIG));
	close(fd);
	return 0;
}
