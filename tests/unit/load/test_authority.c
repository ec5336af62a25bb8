/* SPDX-License-Identifier: ISC */
/* Who may say what: every combination of states and rights, against a rule that
 * is written here once more, in the order of the contract's stages. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "load/approval.h"
#include "load/authority.h"

static const char *const member_states[] = { "active", "suspended", "closed" };
static const char *const user_states[] = { "active", "suspended", "" };
static const char *const cert_states[] = { "good", "revoked", "withdrawn", "" };

struct given {
	const char	*member, *user, *cert;	/* states; cert "" not enrolled */
	int		 enter, approve;	/* rights */
	enum message_type type;
};

static void
make(const struct given *g, struct facts *f, struct header *h, struct m_verdict *v)
{
	memset(f, 0, sizeof(*f));
	memset(h, 0, sizeof(*h));
	memset(v, 0, sizeof(*v));
	h->type = g->type;
	strcpy(h->sender, "PLA");
	strcpy(h->user, "PLA001");
	strcpy(v->cert_sha256, "c");
	strcpy(f->uploader, "PLA");
	strcpy(f->member, "PLA");
	strcpy(f->kind, "platform");
	strcpy(f->uploader_state, g->member);
	strcpy(f->sender_state, g->member);
	strcpy(f->user_state, g->user);
	f->may_enter = g->enter;
	f->may_approve = g->approve;
	if (g->cert[0] != '\0') {
		strcpy(f->signer, "PLA001");
		strcpy(f->signer_member, "PLA");
		strcpy(f->signer_state, g->user[0] != '\0' ? g->user : "active");
		strcpy(f->signer_member_state, g->member);
		strcpy(f->cert_state, g->cert);
	}
}

/* Contract, "Reason codes": the first failing stage is certificate, then
 * authority; S2 E, S2 N3. */
static int
wanted(const struct given *g, enum reason_code codes[2])
{
	int n = 0, right = g->type == MT_APPROVAL ? g->enter || g->approve : g->enter;

	if (g->cert[0] == '\0')
		codes[n++] = CERT_NOT_ENROLLED;
	else if (strcmp(g->cert, "revoked") == 0)
		codes[n++] = CERT_REVOKED;
	else if (strcmp(g->cert, "withdrawn") == 0 || strcmp(g->user, "suspended") == 0)
		codes[n++] = CERT_NOT_ENROLLED;
	if (n > 0)
		return n;
	if (g->user[0] == '\0' || !right)
		codes[n++] = NOT_AUTHORISED;
	if (strcmp(g->member, "active") != 0)
		codes[n++] = MEMBER_SUSPENDED;
	return n;
}

static void
check(const struct given *g)
{
	enum reason_code codes[2] = { REASON_COUNT, REASON_COUNT };
	struct reasons rs = { 0 };
	struct facts f;
	struct header h;
	struct m_verdict v;
	int n = wanted(g, codes), i, same;

	make(g, &f, &h, &v);
	authority_judge(&f, &h, &v, &rs);
	reasons_first_stage(&rs);
	same = (int)rs.n == n;
	for (i = 0; i < n; i++)
		same = same && reasons_has(&rs, codes[i]);
	if (!same)
		fail_msg("member %s, user %s, certificate %s, entry %d, approval %d, %s: %zu reasons, %s first; "
		    "wanted %d", g->member, g->user, g->cert, g->enter, g->approve,
		    message_type_name(g->type), rs.n, rs.n > 0 ? reason_info(rs.v[0].code)->name : "none", n);
}

static void
test_matrix(void **state)
{
	static const enum message_type types[] = { MT_BALANCE_REPORT, MT_APPROVAL };
	struct given g;
	size_t m, u, c, t;
	int rights, n = 0;

	(void)state;
	for (m = 0; m < 3; m++)
		for (u = 0; u < 3; u++)
			for (c = 0; c < 4; c++)
				for (t = 0; t < 2; t++)
					for (rights = 0; rights < 4; rights++, n++) {
						g = (struct given){ member_states[m], user_states[u],
						    cert_states[c], rights & 1, rights >> 1, types[t] };
						check(&g);
					}
	assert_int_equal(n, 3 * 3 * 4 * 2 * 4);
}

/* Who may act for whom, and by whose hand the file comes. */
static void
test_acting(void **state)
{
	static const struct {
		const char	*uploader, *sender, *signer_member, *member;
		int		 right, allowed;
	} cases[] = {
		{ "PLB", "PLA", "PLB", "PLA", 1, 1 },	/* its own user sends it */
		{ "PLA", "PLA", "PLB", "PLA", 1, 1 },	/* the member sends it */
		{ "CUA", "PLA", "PLB", "PLA", 1, 0 },	/* a third does */
		{ "PLB", "PLA", "PLB", "PLB", 0, 0 },	/* no right */
		{ "PLA", "PLB", "PLB", "PLB", 1, 0 },	/* another's own report */
	};
	struct given g = { "active", "active", "good", 1, 1, MT_BALANCE_REPORT };
	struct facts f;
	struct header h;
	struct m_verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reasons rs = { 0 };

		make(&g, &f, &h, &v);
		strcpy(h.sender, cases[i].sender);
		strcpy(h.user, "PLB001");
		strcpy(f.signer, "PLB001");
		strcpy(f.uploader, cases[i].uploader);
		strcpy(f.signer_member, cases[i].signer_member);
		strcpy(f.member, cases[i].member);
		f.may_enter = cases[i].right;
		authority_judge(&f, &h, &v, &rs);
		if ((rs.n == 0) != cases[i].allowed || (rs.n > 0 && !reasons_has(&rs, NOT_AUTHORISED)))
			fail_msg("case %zu", i);
	}
}

/* Who signed is the one whom the header names. */
static void
test_signer(void **state)
{
	struct given g = { "active", "active", "good", 1, 1, MT_BALANCE_REPORT };
	struct reasons rs = { 0 };
	struct facts f;
	struct header h;
	struct m_verdict v;

	(void)state;
	make(&g, &f, &h, &v);
	strcpy(f.signer, "PLA002");
	authority_judge(&f, &h, &v, &rs);
	assert_int_equal(rs.n, 1);
	assert_int_equal(rs.v[0].code, NOT_AUTHORISED);
	assert_string_equal(rs.v[0].detail, "PLA001: signed by PLA002");
}

/* What is decided by the cut-off, is by its own receipt, whenever it is judged. */
static void
test_deadline(void **state)
{
	struct header h = { .type = MT_APPROVAL, .business_date = 20000 };
	struct target t = { .no = 1, .state = SUB_WAITING, .business_date = 20000, .deadline = 1000,
	    .may_approve = 1, .entry_right = 1 };
	usec_t at;

	(void)state;
	for (at = 999; at <= 1001; at++) {
		struct reasons rs = { 0 };

		t.decided_at = at;
		approval_judge(&h, &t, &rs);
		assert_int_equal(rs.n, at < 1000 ? 0 : 1);
		assert_true(rs.n == 0 || rs.v[0].code == REFERENCE_UNKNOWN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_acting),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
