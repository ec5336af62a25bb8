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

#define CUSTOMERS_MAX	UINT64_C(1000000000)	/* customer numbers have nine digits */
#define BREAKS_MAX	100000

static const struct {
	const char	*code, *kind, *name, *sends;
} members[] = {
	{ "PLA", "platform", "Alfa Kripto Varlık Alım Satım Platformu A.Ş.", "BalanceReport" },
	{ "PLB", "platform", "Bora Kripto Varlık Alım Satım Platformu A.Ş.", "BalanceReport" },
	{ "CUA", "custodian", "Çınar Kripto Varlık Saklama A.Ş.", "CustodyReport" },
	{ "CUB", "custodian", "Defne Kripto Varlık Saklama A.Ş.", "CustodyReport" },
	{ "SPK", "regulator", "Sermaye Piyasası Kurulu", NULL },
	{ "UYM", "compliance", "Uyum Denetimi", NULL },
	{ "MKK", "registry", "Merkezi Kayıt Kuruluşu A.Ş.", NULL },
};
#define NMEMBERS (sizeof(members) / sizeof(members[0]))

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
		else if (c == 'c' && number(optarg, 1, CUSTOMERS_MAX, &v) == 0)
			s->customers = v;
		else if (c == 'b' && number(optarg, 0, BREAKS_MAX, &v) == 0)
			s->breaks = (long)v;
		else if (c == 's' && number(optarg, 0, INT64_MAX, &v) == 0)
			s->seed = v;
		else
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

static json_t *
members_json(void)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < NMEMBERS; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "code",
		    members[i].code, "kind", members[i].kind, "name", members[i].name));
	return list;
}

/* Each member has a user who enters and a main authority [ana yetkili]. */
static json_t *
users_json(void)
{
	json_t *list = json_array(), *types;
	char code[USER_CODE_SIZE];
	size_t i;
	int n;

	for (i = 0; i < NMEMBERS; i++) {
		for (n = 1; n <= 900; n += 899) {
			snprintf(code, sizeof(code), "%s%03d", members[i].code, n);
			types = json_array();
			if (members[i].sends != NULL && n == 1)
				json_array_append_new(types, json_string(members[i].sends));
			json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}",
			    "userCode", code, "memberCode", members[i].code,
			    "mainAuthority", n >= 900, "messageTypes", types));
		}
	}
	return list;
}

static json_t *
contracts_json(void)
{
	json_t *list = json_array();
	int p, c;

	for (p = 0; p < NPLATFORMS; p++) {
		for (c = 0; c < NCUSTODIANS; c++) {
			if (sample_contracted(p, c))
				json_array_append_new(list, json_pack("{s:s, s:s}",
				    "platform", sample_platforms[p],
				    "custodian", sample_custodians[c]));
		}
	}
	return list;
}

/* Writes one report and notes it; 0 or -1. */
static int
write_file(const struct sample *s, json_t *files, enum message_type type, int nth)
{
	const char *member = type == MT_BALANCE_REPORT ? sample_platforms[nth] :
	    sample_custodians[nth];
	char *name, user[USER_CODE_SIZE], date[DATE_SIZE];
	int rc;

	date_format(s->date, date);
	name = xasprintf("%s-%s-%s.xml", message_type_name(type), member, date);
	snprintf(user, sizeof(user), "%s001", member);
	if (type == MT_BALANCE_REPORT)
		rc = sample_write_balances(s, nth, name);
	else
		rc = sample_write_custody(s, nth, name);
	if (rc == 0)
		json_array_append_new(files, json_pack("{s:i, s:s, s:s, s:s, s:s}",
		    "order", (int)json_array_size(files) + 1, "file", name,
		    "userCode", user, "memberCode", member,
		    "messageType", message_type_name(type)));
	free(name);
	return rc;
}

static int
write_files(const struct sample *s, json_t *files)
{
	int i;

	for (i = 0; i < NPLATFORMS; i++) {
		if (write_file(s, files, MT_BALANCE_REPORT, i) == -1)
			return -1;
	}
	for (i = 0; i < NCUSTODIANS; i++) {
		if (!s->left_out[i] && write_file(s, files, MT_CUSTODY_REPORT, i) == -1)
			return -1;
	}
	return 0;
}

/* The manifest, last: where it is, the day is whole.  NULL, logged. */
static json_t *
write_manifest(const struct sample *s, json_t *files)
{
	char *path = xasprintf("%s/manifest.json", s->dir), date[DATE_SIZE];
	json_t *m;

	date_format(s->date, date);
	m = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:O, s:o}", "date", date,
	    "seed", (json_int_t)s->seed, "customers", (json_int_t)s->customers,
	    "members", members_json(), "users", users_json(),
	    "contracts", contracts_json(), "files", files,
	    "breaks", sample_breaks_json(s));
	if (m == NULL || json_dump_file(m, path, JSON_INDENT(2)) == -1) {
		log_warn("%s", path);
		json_decref(m);
		m = NULL;
	}
	free(path);
	return m;
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
	sample_add(&s);
	sample_plan(&s);
	if (write_files(&s, files) == -1 || (manifest = write_manifest(&s, files)) == NULL)
		goto out;
	if (c->json)
		cmd_json(json_incref(manifest));
	else
		printf("%s: %zu reports of %llu customers, %ld breaks planted; see manifest.json\n",
		    s.dir, json_array_size(files), (unsigned long long)s.customers, s.nplants);
	rc = EXIT_YES;
out:
	json_decref(manifest);
	json_decref(files);
	free(s.plants);
	return rc;
}
