/* SPDX-License-Identifier: ISC */
/*
 * Any bytes at all given to document_judge: it must give a verdict, in bounded
 * time, and never VALID.  Built with --enable-fuzz this is a libFuzzer target;
 * otherwise main runs it over the files named, or the corpus, and over a few
 * deterministic mutations of each, as an ordinary test.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "document/pipeline.h"

#define MUTATIONS	40

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A root that leads nowhere: no document of the corpus can be VALID. */
static const char root[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdzCCAR2gAwIBAgIUCY1xH0BlchopXpwJQpA0qPnQFqYwCgYIKoZIzj0EAwIw\n"
    "ETEPMA0GA1UEAwwGbm9ib2R5MB4XDTI2MTEyMTIyMzEyNFoXDTM2MTExODIyMzEy\n"
    "NFowETEPMA0GA1UEAwwGbm9ib2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "vChTASPZGkO+AtHgIeOwB16Arw64b3N3Ud5e5DNWElK5Jy+3M1BC/pE02IbIYn54\n"
    "k7FH9wJAOa9qn7KMjggOMKNTMFEwHQYDVR0OBBYEFCYKvK5k6VfHYNKAdGuxUQgc\n"
    "l5EtMB8GA1UdIwQYMBaAFCYKvK5k6VfHYNKAdGuxUQgcl5EtMA8GA1UdEwEB/wQF\n"
    "MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAPII2bOmQxQM/IgSOshvJPUHDNmIFa/u\n"
    "zD+hmjndxqtRAiAS92NWGRT3M4sva/gijhnuTe6UAwPrxs5Hftn70Skl/g==\n"
    "-----END CERTIFICATE-----\n";

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

static int header(void *arg, const struct header *h) { (void)arg, (void)h; return 0; }
static int restart(void *arg) { (void)arg; return 0; }

static int
records(void *arg, enum record_kind kind, const char *lines, size_t len)
{
	(void)arg;
	if (kind >= REC_COUNT || len == 0 || lines[len - 1] != '\n')
		abort();
	return 0;
}

static int
judge(int fd, int submission, enum signature_profile profile)
{
	struct document_settings s = { .trust = trust, .schemas = submission ? schemas : NULL,
	    .any_document = !submission, .profile = profile, .at = clock_now(),
	    .signing_time_past = submission ? 172800 : -1, .signing_time_future = 300 };
	struct document_sink sink = { header, records, restart, NULL };
	struct document_verdict *v = xcalloc(1, sizeof(*v));
	int valid;

	if (document_judge(fd, &s, &sink, v) == -1 || v->sha256[0] == '\0')
		abort();
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
	if (judge(fd, 1, PROFILE_XADES) || judge(fd, 0, PROFILE_XMLDSIG))
		abort();
	close(fd);
	return 0;
}

#ifndef WITH_LIBFUZZER
static uint64_t state = 1;

static size_t
rnd(size_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(state >> 33) % n;
}

/* Bytes changed, a piece taken out, a piece doubled, the end cut off. */
static void
mutate(const char *data, size_t len)
{
	uint8_t *m = xcalloc(2, len + 1);
	size_t at = rnd(len), n = rnd(len - at) + 1, i, k = len;

	memcpy(m, data, len);
	switch (rnd(4)) {
	case 0:
		for (i = rnd(8) + 1; i > 0; i--)
			m[rnd(len)] = (uint8_t)rnd(256);
		break;
	case 1:
		memmove(m + at, m + at + n, len - at - n);
		k = len - n;
		break;
	case 2:
		memmove(m + at + n, m + at, len - at);
		k = len + n;
		break;
	default:
		k = at;
		break;
	}
	(void)LLVMFuzzerTestOneInput(m, k);
	free(m);
}

static void
run_file(const char *path, int mutations)
{
	char *data;
	size_t len;

	if (file_read_all(path, 1 << 26, &data, &len) == -1)
		fatal("%s", path);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)data, len);
	for (; mutations > 0 && len > 0; mutations--)
		mutate(data, len);
	free(data);
}

int
main(int argc, char *argv[])
{
	const char *dir = TOP_SRCDIR "/tests/fuzz/corpus/document";
	struct dirent **list = NULL;
	int i, n;
	char *path;

	LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++)
		run_file(argv[i], 0);
	if (argc > 1)
		return 0;
	if ((n = scandir(dir, &list, NULL, alphasort)) == -1)
		fatal("%s", dir);
	for (i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			path = xasprintf("%s/%s", dir, list[i]->d_name);
			run_file(path, MUTATIONS);
			free(path);
		}
		free(list[i]);
	}
	free(list);
	schema_set_free(schemas);
	trust_free(trust);
	printf("fuzz_document: %d files and %d mutations of each\n", n - 2, MUTATIONS);
	return 0;
}
#endif
