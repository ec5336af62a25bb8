/* SPDX-License-Identifier: ISC */
/*
 * manifest.json of a sample: the market (members, users, contracts), what is
 * to be uploaded by whom in which order, and every break that the rules find
 * in it.  A break that was not planted itself, but comes of others, has
 * "follows".
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "muhur/sample.h"

static const struct {
	const char		*code, *kind, *name;
	enum message_type	 sends[6];	/* up to MT_COUNT */
} members[] = {
	{ "PLA", "platform", "Alfa Kripto Varlık Alım Satım Platformu A.Ş.", { MT_BALANCE_REPORT,
	    MT_MOVEMENT_REPORT, MT_NETTING_REPORT, MT_HOLDING_REPORT, MT_LISTING_NOTICE, MT_COUNT } },
	{ "PLB", "platform", "Bora Kripto Varlık Alım Satım Platformu A.Ş.", { MT_BALANCE_REPORT,
	    MT_MOVEMENT_REPORT, MT_NETTING_REPORT, MT_HOLDING_REPORT, MT_LISTING_NOTICE, MT_COUNT } },
	{ "CUA", "custodian", "Çınar Kripto Varlık Saklama A.Ş.", { MT_CUSTODY_REPORT, MT_COUNT } },
	{ "CUB", "custodian", "Defne Kripto Varlık Saklama A.Ş.", { MT_CUSTODY_REPORT, MT_COUNT } },
	{ "SPK", "regulator", "Sermaye Piyasası Kurulu", { MT_COUNT } },
	{ "UYM", "compliance", "Uyum Denetimi", { MT_COUNT } },
	{ "MKK", "registry", "Merkezi Kayıt Kuruluşu A.Ş.", { MT_REGISTRATION_REQUEST, MT_REFERENCE_DATA,
	    MT_COUNT } },
};
#define NMEMBERS (sizeof(members) / sizeof(members[0]))

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
	size_t i, t;
	int n;

	for (i = 0; i < NMEMBERS; i++) {
		for (n = 1; n <= 900; n += 899) {
			snprintf(code, sizeof(code), "%s%03d", members[i].code, n);
			types = json_array();
			for (t = 0; n == 1 && members[i].sends[t] != MT_COUNT; t++)
				json_array_append_new(types,
				    json_string(message_type_name(members[i].sends[t])));
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

void
sample_note_file(json_t *files, enum message_type type, const char *member, const char *name)
{
	char user[USER_CODE_SIZE];

	snprintf(user, sizeof(user), "%s001", member);
	json_array_append_new(files, json_pack("{s:i, s:s, s:s, s:s, s:s}",
	    "order", (int)json_array_size(files) + 1, "file", name,
	    "userCode", user, "memberCode", member,
	    "messageType", message_type_name(type)));
}

static json_t *
quantity_json(int any, struct decimal d)
{
	char buf[DECIMAL_SIZE];

	if (!any)
		return json_null();
	decimal_format(d, buf);
	return json_string(buf);
}

static json_t *
breaks_json(const struct sample *s)
{
	json_t *list = json_array(), *o;
	const struct plant *p;
	char reg[11], cust[16];
	long i;

	for (i = 0; i < s->nplants; i++) {
		p = &s->plants[i];
		o = json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o}", "rule", p->rule,
		    "kind", p->kind,
		    "platform", p->platform == -1 ? NULL : sample_platforms[p->platform],
		    "custodian", p->custodian[0] == '\0' ? NULL : p->custodian,
		    "asset", p->asset == -1 ? NULL : sample_assets[p->asset].dti,
		    "platformQuantity", quantity_json(p->has_claimed, p->claimed),
		    "custodianQuantity", quantity_json(p->has_held, p->held));
		if (p->customer != NONE) {
			sample_registry_no(s, p->customer, reg);
			sample_customer_no(sample_platforms[p->platform], p->customer, cust);
			json_object_set_new(o, "registryNo", json_string(reg));
			json_object_set_new(o, "customerNo", json_string(cust));
		}
		if (p->follows)
			json_object_set_new(o, "follows", json_true());
		json_array_append_new(list, o);
	}
	return list;
}

/* The manifest, last: where it is, the day is whole. */
json_t *
sample_write_manifest(const struct sample *s, json_t *files)
{
	char *path = xasprintf("%s/manifest.json", s->dir), date[DATE_SIZE];
	json_t *m;

	date_format(s->date, date);
	m = json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:O, s:o}", "date", date,
	    "seed", (json_int_t)s->seed, "customers", (json_int_t)s->customers,
	    "members", members_json(), "users", users_json(),
	    "contracts", contracts_json(), "files", files, "breaks", breaks_json(s));
	if (m == NULL || json_dump_file(m, path, JSON_INDENT(2)) == -1) {
		log_warn("%s", path);
		json_decref(m);
		m = NULL;
	}
	free(path);
	return m;
}
