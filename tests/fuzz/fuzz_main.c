/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target over its corpus, tests/fuzz/corpus/NAME for a program
 * fuzz_NAME, in place of libFuzzer: so in the ordinary tests.  `srcdir' comes
 * from automake's test driver; other directories may be given as arguments.
 */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX	(1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each input in memory of just its size, so that sanitizers see its end. */
static void
run_file(const char *dir, const char *name)
{
	static uint8_t big[INPUT_MAX];
	char path[4096];
	uint8_t *data;
	size_t n;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    (f = fopen(path, "rb")) == NULL) {
		perror(name);
		exit(1);
	}
	n = fread(big, 1, sizeof(big), f);
	fclose(f);
	if ((data = malloc(n > 0 ? n : 1)) == NULL)
		exit(1);
	memcpy(data, big, n);
	(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
}

static int
run_dir(const char *dir)
{
	struct dirent *e;
	int n = 0;
	DIR *d;

	if ((d = opendir(dir)) == NULL) {
		perror(dir);
		exit(1);
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			run_file(dir, e->d_name);
			n++;
		}
	closedir(d);
	return n;
}

int
main(int argc, char *argv[])
{
	const char *srcdir = getenv("srcdir"), *name = strrchr(argv[0], '/');
	char dir[4096];
	int i, n = 0;

	name = name != NULL ? name + 1 : argv[0];
	if (strncmp(name, "lt-", 3) == 0)
		name += 3;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	for (i = 1; i < argc; i++)
		n += run_dir(argv[i]);
	if (argc == 1) {
		(void)snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s",
		    srcdir != NULL ? srcdir : ".", name);
		n = run_dir(dir);
	}
	printf("%s: %d inputs\n", name, n);
	return n > 0 ? 0 : 1;
}
