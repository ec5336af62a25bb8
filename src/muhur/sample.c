/* SPDX-License-Identifier: ISC */
/* muhur sample: a whole unsigned business day of a test market. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/cmd.h"
#include "muhur/sample.h"

static int
number(const char *s, uint64_t least, uint64_t most, uint64_t *v)
{
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	*v = strtoull(s, &end, 10);
	return errno != 0 || *end != '\0' || *v < least || *v > most ? -1 : 0;
}

/* 0, or -1 on wrong use, said. */
static int
options(struct sample *s, int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "customers", required_argument, NULL, 'c' },
		{ "breaks", required_argument, NULL, 'b' },
		{ "seed", required_argument, NULL, 's' },
		{ "date", required_argument, NULL, 'D' },
		{ "after", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	const char *date = NULL, *bad = NULL;
	uint64_t v;
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (c == 'd')
			s->dir = optarg;
		else if (c == 'D')
			date = date_parse(optarg, &s->date) == 0 ? optarg : NULL;
		else if (c == 'c' && number(optarg, 1, SAMPLE_CUSTOMERS_MAX, &v) == 0)
			s->customers = v;
		else if (c == 'b' && number(optarg, 0, SAMPLE_BREAKS_MAX, &v) == 0)
			s->breaks = (long)v;
		else if (c == 's' && number(optarg, 0, INT64_MAX, &v) == 0)
			s->seed = v;
		else if (c == 'a' && number(optarg, 0, SAMPLE_BREAKS_MAX, &v) == 0) {
			s->after = 1;
			s->breaks_before = (long)v;
		} else
			bad = optarg != NULL ? optarg : argv[optind - 1];
		if (c == 'D' && date == NULL)
			bad = optarg;
		if (bad != NULL) {
			log_warnx("sample: %s: not understood", bad);
			return -1;
		}
	}
	return s->dir == NULL || date == NULL || optind != argc ? -1 : 0;
}

/* Writes one report and notes it; 0 or -1. */
static int
write_file(const struct sample *s, json_t *files, enum message_type type, const char *member, int nth)
{
	char *name, date[DATE_SIZE];
	int rc = -1;

	date_format(s->date, date);
	name = xasprintf("%s-%s-%s.xml", message_type_name(type), member, date);
	switch (type) {
	case MT_REGISTRATION_REQUEST:
		rc = sample_write_registration(s, name);
		break;
	case MT_REFERENCE_DATA:
		rc = sample_write_reference(s, name);
		break;
	case MT_BALANCE_REPORT:
		rc = sample_write_balances(s, nth, name);
		break;
	case MT_MOVEMENT_REPORT:
		rc = sample_write_movements(s, nth, name);
		break;
	case MT_NETTING_REPORT:
		rc = sample_write_nettings(s, nth, name);
		break;
	case MT_HOLDING_REPORT:
		rc = sample_write_holding(s, nth, name);
		break;
	case MT_LISTING_NOTICE:
		rc = sample_write_listing(s, nth, name);
		break;
	case MT_CUSTODY_REPORT:
		rc = sample_write_custody(s, nth, name);
		break;
	default:
		fatalx("sample: %s is no report of a day", message_type_name(type));
	}
	if (rc == 0)
		sample_note_file(files, type, member, name);
	free(name);
	return rc;
}

/* What the day is judged by comes first, and the custodians last. */
static int
write_files(const struct sample *s, json_t *files)
{
	static const enum message_type platforms[] = { MT_BALANCE_REPORT, MT_MOVEMENT_REPORT,
	    MT_NETTING_REPORT, MT_HOLDING_REPORT, MT_LISTING_NOTICE };
	size_t t;
	int i;

	if (write_file(s, files, MT_REGISTRATION_REQUEST, "MKK", 0) == -1 ||
	    write_file(s, files, MT_REFERENCE_DATA, "MKK", 0) == -1)
		return -1;
	for (i = 0; i < NPLATFORMS; i++)
		for (t = 0; t < sizeof(platforms) / sizeof(platforms[0]); t++)
			if (write_file(s, files, platforms[t], sample_platforms[i], i) == -1)
				return -1;
	for (i = 0; i < NCUSTODIANS; i++)
		if (!s->left_out[i] &&
		    write_file(s, files, MT_CUSTODY_REPORT, sample_custodians[i], i) == -1)
			return -1;
	return 0;
}

/* The day before as the market was then.  The caller frees its plants and it;
 * its extras go to s. */
static struct sample *
look_back(struct sample *s)
{
	struct sample *b = xcalloc(1, sizeof(*b));

	b->seed = s->seed;
	b->customers = s->customers;
	b->breaks = s->breaks_before;
	b->date = s->date - 1;
	sample_add(b);
	sample_plan(b);
	sample_follow(b);
	s->extras_before = b->extras;
	s->nextras_before = b->nextras;
	return b;
}

static void
make_day(struct sample *s)
{
	struct sample *before = NULL;

	sample_add(s);
	sample_plan(s);
	if (s->after)
		before = look_back(s);
	sample_count_extras(s);
	sample_follow(s);
	if (before != NULL) {
		sample_go_on(s, before);
		free(before->plants);
		free(before);
	}
}

int
cmd_sample(struct cmd *c, int argc, char **argv)
{
	struct sample s = { .customers = 1000, .seed = 1, .breaks = 7 };
	json_t *files = json_array(), *manifest = NULL;
	int rc = EXIT_ENVIRONMENT;

	if (options(&s, argc, argv) == -1) {
		rc = cmd_usage(c);
		goto out;
	}
	if (mkdir(s.dir, 0750) == -1 && errno != EEXIST) {
		log_warn("%s", s.dir);
		goto out;
	}
	make_day(&s);
	if (write_files(&s, files) == -1 || (manifest = sample_write_manifest(&s, files)) == NULL)
		goto out;
	if (c->json)
		cmd_json(json_incref(manifest));
	else
		printf("%s: %zu reports of %llu customers, %ld breaks planted, %ld more follow; see manifest.json\n",
		    s.dir, json_array_size(files), (unsigned long long)s.customers, s.nfaults,
		    s.nplants - s.nfaults);
	rc = EXIT_YES;
out:
	json_decref(manifest);
	json_decref(files);
	free(s.plants);
	free(s.extras);
	free(s.extras_before);
	return rc;
}
