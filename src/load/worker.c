/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "load/lines.h"

void
worker_init(struct worker *w, const struct conf *conf, int channel, const char *password, int scratch)
{
	memset(w, 0, sizeof(*w));
	w->conf = conf;
	w->scratch = scratch;
	w->job.pipe = -1;
	msg_init(&w->chan, channel, ROLE_LOAD, ROLE_MUHURD);
	link_init(&w->link, conf, "muhur_load", password, NULL);
}

static void
close_pipe(struct job *j)
{
	if (j->pipe != -1)
		(void)close(j->pipe);
	j->pipe = -1;
}

/* Nothing of the job stays; an open transaction is rolled back. */
static void
job_end(struct worker *w)
{
	struct job	*j = &w->job;
	struct buf	 frame = j->in.b, lines = j->lines;

	close_pipe(j);
	header_reset(&j->header);
	if (w->link.db.conn != NULL && PQtransactionStatus(w->link.db.conn) != PQTRANS_IDLE)
		link_recover(&w->link);
	memset(j, 0, sizeof(*j));
	j->pipe = -1;
	buf_reset(&frame);
	j->in.b = frame;
	j->lines = lines;
}

void
worker_close(struct worker *w)
{
	job_end(w);
	buf_free(&w->job.in.b);
	buf_free(&w->job.lines);
	db_close(&w->link.db);
	free(w->link.password);
	msg_close(&w->chan);
}

static int
send_done(struct worker *w, const struct m_submission_state *s, uint32_t tag)
{
	struct buf	 b = { 0 };
	int		 rc;

	put_m_submission_state(&b, s);
	rc = msg_send(&w->chan, M_LOAD_DONE, tag, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}

static int
broken(const char *what)
{
	log_warnx("muhurd: %s: out of place", what);
	return -1;
}

static int
on_begin(struct worker *w, struct msg *m)
{
	struct job	*j = &w->job;

	if (j->active || get_m_submission(m, &j->sub) == -1)
		return broken("load-begin");
	j->active = 1;
	j->pipe = m->fds[0];
	m->nfds = 0;
	if (!link_up(&w->link))
		j->trouble = j->drain = 1;
	return 0;
}

/* verify died, or its verdict is not wanted: whatever was copied is dropped. */
static int
on_abort(struct worker *w, const struct msg *m)
{
	struct m_submission_state	answer = { .state = SUB_RECEIVED };
	struct m_submission_id		id;

	if (get_m_submission_id(m, &id) == -1)
		return broken("load-abort");
	(void)str_copy(answer.id, sizeof(answer.id), id.id);
	/* It may cross our answer; then there is nothing to drop any more. */
	if (w->job.active && strcmp(w->job.sub.id, id.id) == 0)
		job_end(w);
	return send_done(w, &answer, m->tag);
}

static int
on_verdict(struct worker *w, const struct msg *m)
{
	struct job	*j = &w->job;

	if (!j->active || j->have_verdict || get_m_verdict(m, &j->verdict) == -1 ||
	    strcmp(j->verdict.id, j->sub.id) != 0)
		return broken("load-verdict");
	j->have_verdict = 1;
	return 0;
}

static int
on_lines(struct worker *w, struct msg *m)
{
	struct m_notice_id	id;
	struct buf		b = { 0 };
	int			rc;

	if (w->job.active || get_m_notice_id(m, &id) == -1)
		return broken("lines-send");
	if (link_up(&w->link)) {
		lines_send(&w->link.db, id.id, w->scratch, m->fds[0]);
		m->nfds = 0;
		link_recover(&w->link);
	} else
		msg_close_fds(m);
	put_m_notice_id(&b, &id);
	rc = msg_send(&w->chan, M_LINES_DONE, m->tag, b.data, b.len, NULL, 0);
	buf_free(&b);
	return rc;
}

static int
on_message(struct worker *w, struct msg *m)
{
	switch (m->type) {
	case M_LOAD_BEGIN:
		return on_begin(w, m);
	case M_LOAD_VERDICT:
		return on_verdict(w, m);
	case M_LOAD_ABORT:
		return on_abort(w, m);
	case M_LINES_SEND:
		return on_lines(w, m);
	default:
		return broken(msg_type_name(m->type));
	}
}

static int
read_channel(struct worker *w)
{
	struct msg	 m;
	int		 rc;

	while ((rc = msg_recv(&w->chan, &m)) == 1) {
		rc = on_message(w, &m);
		msg_close_fds(&m);
		if (rc == -1)
			return -1;
	}
	if (rc == -1 && errno != 0)
		log_warn("muhurd");
	return rc;
}

/* What is there is taken, never waited for: a writer that stalls within a frame
 * must not keep muhurd's ABORT from being heard. */
static void
read_pipe(struct worker *w)
{
	struct job		*j = &w->job;
	struct stream_frame	 f;

	switch (stream_step(j->pipe, &j->in, &f)) {
	case 2:
		return;
	case 1:
		copy_frame(w, &f);
		if (j->ended)
			close_pipe(j);
		return;
	case 0:
		close_pipe(j);
		return;
	default:
		log_warn("submission %s: records pipe", j->sub.id);
		j->unloadable = j->drain = 1;
		close_pipe(j);
	}
}

static int
conclude(struct worker *w)
{
	struct m_submission_state	answer;

	verdict_conclude(w, &answer);
	job_end(w);
	return send_done(w, &answer, 0);
}

/* A pipe that is full, as long as records are wanted, would starve the
 * channel's ABORT: one read for each look at the channel. */
int
worker_step(struct worker *w, int timeout_ms)
{
	struct pollfd	 pfd[3];
	int		 n;

	pfd[0].fd = w->chan.fd;
	pfd[0].events = (short)(POLLIN | (msg_wants_write(&w->chan) ? POLLOUT : 0));
	pfd[1].fd = w->job.pipe;
	pfd[1].events = POLLIN;
	pfd[2].fd = w->job.active ? -1 : link_fd(&w->link);
	pfd[2].events = POLLIN;
	n = poll(pfd, 3, w->job.active ? timeout_ms : link_timeout(&w->link, timeout_ms));
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	if ((pfd[0].revents & POLLOUT) && msg_flush(&w->chan) == -1)
		return -1;
	if ((pfd[0].revents & (POLLIN | POLLHUP | POLLERR)) && read_channel(w) == -1)
		return -1;
	/* The job may have ended, or begun, by a message. */
	if (pfd[1].fd != -1 && pfd[1].revents != 0 && w->job.pipe == pfd[1].fd)
		read_pipe(w);
	if (pfd[2].fd != -1 && pfd[2].revents != 0 && !w->job.active)
		link_input(&w->link, NULL, NULL);
	if (!w->job.active)
		(void)link_up(&w->link);
	if (w->job.active && w->job.have_verdict && w->job.pipe == -1)
		return conclude(w);
	return 0;
}
