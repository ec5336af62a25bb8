/* SPDX-License-Identifier: ISC */
/*
 * In libFuzzer's place, so that fuzz targets run in the ordinary tests: calls
 * the target with each file of its corpus, and with some mutations of it that
 * are the same every time.  With arguments, with those files alone, as
 * libFuzzer does: to see a finding again in any build.
 */
#include "config.h"

#include <dirent.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "fuzz.h"

#define INPUT_MAX	(16 * 1024 * 1024)
#define MUTATIONS	100	/* of each file */

#pragma weak LLVMFuzzerInitialize

static uint64_t state;

static size_t
rnd(size_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(state >> 33) % n;
}

/* From the file itself, so that its mutations stay when others join it. */
static void
rnd_seed(const char *data, size_t len)
{
	state = len;
	while (len-- > 0)
		state = (state ^ (uint8_t)*data++) * UINT64_C(1099511628211);
}

/* In memory of just its size, so that sanitizers see its end. */
static void
run(const char *data, size_t len)
{
	uint8_t *input = xcalloc(len, 1);

	if (len > 0)
		memcpy(input, data, len);
	(void)LLVMFuzzerTestOneInput(input, len);
	free(input);
}

/* Bytes changed, a piece taken out, a piece doubled, the end cut off. */
static void
run_mutation(const char *data, size_t len)
{
	char *m = xcalloc(2, len);
	size_t at = rnd(len), n = rnd(len - at) + 1, i, k = len;

	memcpy(m, data, len);
	switch (rnd(4)) {
	case 0:
		for (i = rnd(8) + 1; i > 0; i--)
			m[rnd(len)] = (char)rnd(256);
		break;
	case 1:
		memmove(m + at, m + at + n, len - at - n);
		k = len - n;
		break;
	case 2:
		memmove(m + at + n, data + at, len - at);
		k = len + n;
		break;
	default:
		k = at;
		break;
	}
	run(m, k);
	free(m);
}

static void
run_file(const char *path, int mutations)
{
	char *data;
	size_t len;

	if (file_read_all(path, INPUT_MAX, &data, &len) == -1)
		fatal("%s", path);
	run(data, len);
	rnd_seed(data, len);
	for (; mutations > 0 && len > 0; mutations--)
		run_mutation(data, len);
	free(data);
}

static int
run_corpus(const char *name)
{
	char *dir = xasprintf("%s/tests/fuzz/corpus/%s", TOP_SRCDIR, name), *path;
	struct dirent **list;
	int files = 0, i, n;

	if ((n = scandir(dir, &list, NULL, alphasort)) == -1)
		fatal("%s", dir);
	for (i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			path = xasprintf("%s/%s", dir, list[i]->d_name);
			run_file(path, MUTATIONS);
			free(path);
			files++;
		}
		free(list[i]);
	}
	free(list);
	free(dir);
	return files;
}

int
main(int argc, char *argv[])
{
	const char *name = strrchr(argv[0], '/');
	int i, files;

	name = name != NULL ? name + 1 : argv[0];
	log_init(name, LOG_COMMAND, 0);
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (i = 1; i < argc; i++)
		run_file(argv[i], 0);
	if (argc > 1)
		return 0;
	if (strncmp(name, "fuzz_", strlen("fuzz_")) != 0)
		fatalx("the corpus is found by the program's name, which is fuzz_ and its own");
	files = run_corpus(name + strlen("fuzz_"));
	printf("%s: %d files and %d mutations of each\n", name, files, MUTATIONS);
	return files > 0 ? 0 : 1;
}
