/* SPDX-License-Identifier: ISC */
/*
 * What `muhur evidence verify' reads of a container that anybody may have made: the
 * zip file and each entry, a manifest, a proof.  What is taken is what the headers
 * say that it may be.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/fdio.h"
#include "base/log.h"
#include "fuzz.h"
#include "muhur/asic.h"
#include "muhur/trail_log.h"

#define ENTRY_MAX	(256 * 1024)

/* Of the corpus's proofs. */
#define VKEY "muhur.test/trail+08201cea+AYmG+fu/uCzj0w5WUdibnlNfXeyGQqcGppjDk73N4yCA"

static struct note_verifier *key;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_init("fuzz_evidence", LOG_COMMAND, 0);
	clock_init(0);
	if ((key = note_verifier_new(VKEY)) == NULL)
		fatalx("key");
	return 0;
}

/* Proofs are made by trail_proof alone, which nobody calls here. */
int
trail_opening(int openings, uint64_t index, struct buf *out)
{
	(void)openings;
	(void)index;
	(void)out;
	abort();
}

static void
try_manifest(const char *text, size_t len)
{
	struct asic_refs refs;
	const char *why = NULL;
	size_t i;

	if (asic_read_manifest(text, len, &refs, &why) == -1)
		CHECK(why != NULL);
	else {
		CHECK(asic_name_ok(refs.reference));
		for (i = 0; i < refs.n; i++)
			CHECK(asic_name_ok(refs.v[i].name) && strlen(refs.v[i].sha256) == SHA256_HEX_SIZE - 1);
	}
	asic_refs_free(&refs);
}

/* Only under a root that the key has signed. */
static void
try_proof(const char *text, size_t len)
{
	json_t *proof = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct buf detail = { 0 };
	struct checkpoint head = { .size = 0 };
	const char *why = NULL;
	struct leaf l;

	if (proof == NULL)
		return;
	if (trail_proof_check(proof, key, &head, &l, &detail, &why) == -1)
		CHECK(why != NULL);
	else
		CHECK(head.size > 0 && strcmp(head.origin, note_verifier_name(key)) == 0);
	json_decref(proof);
	buf_free(&detail);
}

static void
try_entry(struct asic_reader *r, const char *name)
{
	struct buf data = { 0 };
	char sha256[SHA256_HEX_SIZE], hex[SHA256_HEX_SIZE];
	unsigned char md[SHA256_SIZE];
	int got = asic_get(r, name, ENTRY_MAX, &data), copied = asic_copy(r, name, -1, sha256);

	CHECK(asic_name_ok(name) && asic_has(r, name) && data.len <= ENTRY_MAX);
	if (got == 0) {
		CHECK(copied == 0 && EVP_Digest(data.len > 0 ? data.data : "", data.len, md, NULL, EVP_sha256(), NULL) == 1);
		hex_encode(md, sizeof(md), hex);
		CHECK(strcmp(hex, sha256) == 0);
		try_manifest(data.len > 0 ? data.data : "", data.len);
		try_proof(data.len > 0 ? data.data : "", data.len);
	}
	buf_free(&data);
}

static void
try_container(const uint8_t *data, size_t size)
{
	struct asic_reader *r;
	char why[256] = "";
	size_t i;
	int fd = memfd_create("container", MFD_CLOEXEC);

	if (fd == -1 || write_full(fd, data, size) == -1)
		fatal("memfd");
	if ((r = asic_open(fd, why, sizeof(why))) == NULL) {
		CHECK(why[0] != '\0');
		return;
	}
	CHECK(asic_count(r) > 0 && strcmp(asic_entry(r, 0), "mimetype") == 0);
	for (i = 0; i < asic_count(r); i++)
		try_entry(r, asic_entry(r, i));
	asic_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";

	try_container(data, size);
	try_manifest(text, size);
	try_proof(text, size);
	return 0;
}
