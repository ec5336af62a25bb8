/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "base/log.h"
#include "muhurd/fetch.h"
#include "muhurd/flow.h"
#include "muhurd/keep.h"
#include "muhurd/notices.h"
#include "muhurd/pair.h"
#include "muhurd/publish.h"
#include "muhurd/route.h"
#include "muhurd/session.h"

static int
child_ready(struct child *c)
{
	struct gateway *gw = c->gw;

	if (c->ready)
		return -1;
	c->ready = 1;
	log_debug("%s[%ld] is ready", role_name(c->role), (long)c->pid);
	switch (c->role) {
	case ROLE_DIRECTORY:
		flow_directory_up(gw);
		fetches_directory_up(gw);
		keep_directory_up(gw);
		break;
	case ROLE_VERIFY:
		pair_verify_up(c);
		pairs_schedule(gw);
		break;
	case ROLE_LOAD:
		pairs_schedule(gw);
		break;
	case ROLE_ARCHIVE:
		keep_archive_up(gw);
		__attribute__((fallthrough));
	case ROLE_SIGNER:
		notices_tick(gw, clock_monotonic());
		break;
	default:
		break;
	}
	return 0;
}

static int
directory_message(struct gateway *gw, struct msg *m)
{
	switch (m->type) {
	case M_DIR_LOGIN_RESULT:
		return sessions_login_result(gw, m);
	case M_DIR_CHANGED:
		sessions_review(gw);
		return 0;
	case M_DIR_REVIEWED:
		return sessions_reviewed(gw, m);
	case M_SUB_STATE:
		return flow_sub_state(gw, m);
	case M_NOTICE_TO_SIGN:
		return notices_to_sign(gw, m);
	case M_NOTICE_PUBLISH:
		return publish_notice(gw, m);
	case M_NOTICE_EXPIRE:
		return publish_expire(gw, m);
	case M_COMPRESS:
		return keep_order(gw, m);
	case M_DIR_PASS_KEPT:
		return keep_pass_kept(gw, m);
	case M_FETCHED_KEPT:
		return fetches_kept(gw, m);
	default:
		return -1;
	}
}

static int
load_message(struct child *c, struct msg *m)
{
	if (m->type == M_LOAD_DONE)
		return pair_load_done(c, m);
	if (m->type != M_LINES_DONE || !c->busy || c->owner != NULL)
		return -1;
	c->busy = 0;
	pairs_schedule(c->gw);
	return 0;
}

/* msg.c has checked that the role may send this type; what remains is whether
 * it may now, and whether it makes sense. */
int
route_message(struct child *c, struct msg *m)
{
	struct gateway *gw = c->gw;

	if (m->type == M_READY)
		return child_ready(c);
	if (!c->ready && c->role != ROLE_SESSION)
		return -1;
	switch (c->role) {
	case ROLE_LISTENER:
		return sessions_connection(c, m);
	case ROLE_SESSION:
		return session_message(c, m);
	case ROLE_DIRECTORY:
		return directory_message(gw, m);
	case ROLE_VERIFY:
		return pair_verdict(c, m);
	case ROLE_LOAD:
		return load_message(c, m);
	case ROLE_SIGNER:
		return m->type == M_SIGNED ? notices_signed(gw, m) : notices_sign_failed(gw, m);
	case ROLE_ARCHIVE:
		return m->type == M_ARCHIVED ? publish_archived(gw, m) : keep_message(gw, m);
	default:
		return -1;
	}
}

void
route_gone(struct child *c, int crashed)
{
	struct gateway *gw = c->gw;

	switch (c->role) {
	case ROLE_LISTENER:
		if (gw->stopping)
			break;
		log_alarm("the listener has ended: the gateway stops");
		gw->failed = 1;
		break;
	case ROLE_SESSION:
		session_gone(c);
		break;
	case ROLE_DIRECTORY:
		sessions_directory_gone(gw);
		flow_directory_gone(gw);
		notices_directory_gone(gw);
		fetches_directory_gone(gw);
		break;
	case ROLE_VERIFY:
		pair_verify_gone(c, crashed);
		break;
	case ROLE_LOAD:
		pair_load_gone(c, crashed);
		break;
	case ROLE_SIGNER:
		notices_signer_gone(gw);
		break;
	case ROLE_ARCHIVE:
		publish_archive_gone(gw);
		keep_archive_gone(gw);
		break;
	default:
		break;
	}
}
