/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/tsa.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "muhur/crl.h"
#include "muhur/enrol.h"
#include "muhur/fetch.h"
#include "xml/stamp.h"
#include "xml/tsp.h"

#define WHY_SIZE	512

struct tsa {
	const struct conf	*conf;
	struct trust		*trust;
};

struct trust *
tsa_trust(const struct conf *conf)
{
	struct crl_set set = { 0 };
	struct trust *t = NULL;
	size_t i;
	int rc = -1;

	if (conf->tsa_anchors == NULL) {
		log_warnx("tsa_anchors: not set: name the roots of the time-stamp authority there");
		return NULL;
	}
	if ((t = enrol_anchors("tsa_anchors", conf->tsa_anchors)) == NULL || crl_in_force(conf, &set) == -1)
		goto out;
	for (i = 0; i < set.n; i++)
		if (trust_add_crl(t, set.v[i].x) == -1)
			goto out;
	trust_set_crl_grace(t, conf->crl_grace);
	rc = 0;
out:
	crl_set_free(&set);
	if (rc == -1) {
		trust_free(t);
		return NULL;
	}
	return t;
}

struct tsa *
tsa_open(const struct conf *conf)
{
	struct tsa *tsa;
	struct trust *trust;

	if (conf->tsa_url == NULL) {
		log_warnx("tsa_url: not set: name there where time-stamps are asked for, and in tsa_anchors "
		    "whom to believe");
		return NULL;
	}
	if ((trust = tsa_trust(conf)) == NULL)
		return NULL;
	tsa = xcalloc(1, sizeof(*tsa));
	tsa->conf = conf;
	tsa->trust = trust;
	return tsa;
}

void
tsa_close(struct tsa *tsa)
{
	if (tsa == NULL)
		return;
	trust_free(tsa->trust);
	free(tsa);
}

/*
 * The system's clock, since an authority knows nothing of a rehearsal's
 * (clock_offset).  A time that is far from it would be wrong for ever: one of
 * the two clocks is, and it can be asked again.
 */
static int
time_is_ours(const struct timestamp *t, usec_t now)
{
	usec_t off = t->at - now;
	char at[TIME_SIZE];

	if (off <= TSA_MAX_SKEW * USEC_PER_SEC && off >= -TSA_MAX_SKEW * USEC_PER_SEC)
		return 1;
	time_format(t->at, at);
	log_warnx("time-stamp of %s: it tells %.19sZ, %lld s from this machine's clock: one of the two is "
	    "wrong; it is not taken", t->authority, at, (long long)(off / USEC_PER_SEC));
	return 0;
}

int
tsa_ask(struct tsa *tsa, const void *data, size_t len, struct buf *resp, struct timestamp *t)
{
	const struct conf *conf = tsa->conf;
	struct fetch f = { .timeout = conf->tsa_timeout, .max_size = STAMP_MAX_TOKEN,
	    .post_type = TSP_QUERY_TYPE, .accept = TSP_REPLY_TYPE };
	struct stamp_rules rules = { .tsa = tsa->trust, .latest = INT64_MAX };
	ASN1_INTEGER *nonce;
	struct buf query = { 0 }, answer = { 0 };
	char why[WHY_SIZE];
	int rc = -1;

	nonce = tsp_ask(data, len, &query);
	f.post = query.data;
	f.post_len = query.len;
	if (fetch_url(&f, conf->tsa_url, &answer, why, sizeof(why)) == -1) {
		log_warnx("tsa_url %s: %s; it is asked again at the next run", conf->tsa_url, why);
		goto out;
	}
	rules.at = clock_now() - conf->clock_offset * USEC_PER_SEC;
	stamp_judge_response(answer.data != NULL ? answer.data : "", answer.len, data, len, nonce, &rules, t);
	if (t->state != TIMESTAMP_GOOD) {
		log_warnx("tsa_url %s: its answer is refused: %s; see that the authority is the one "
		    "that tsa_anchors trusts, and crl_file has its lists", conf->tsa_url, t->why);
		goto out;
	}
	if (!time_is_ours(t, rules.at))
		goto out;
	buf_append(resp, answer.data, answer.len);
	rc = 0;
out:
	ASN1_INTEGER_free(nonce);
	buf_free(&query);
	buf_free(&answer);
	return rc;
}
