/* SPDX-License-Identifier: ISC */
/*
 * A fuzz target: a program of one source file, fuzz_NAME.c, with its corpus in
 * corpus/NAME.  Its caller is libFuzzer, or fuzz_main.c; README.md says when.
 */
#ifndef MUHUR_TESTS_FUZZ_H
#define MUHUR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's own names.  Initialize is called once, and is left out where
 * there is nothing to do; TestOneInput returns 0 and keeps nothing. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input; not assert, which NDEBUG takes away. */
#define CHECK(holds) do {							\
	if (!(holds)) {								\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds);	\
		abort();							\
	}									\
} while (0)

#endif
