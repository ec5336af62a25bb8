/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/identity_check.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "model/ident.h"

static _Noreturn void
be_program(char *const *argv, int in, int out)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
	char *const env[] = { path, lang, NULL };

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);	/* in a group of its own, ^C does not reach it */
	(void)signal(SIGPIPE, SIG_DFL);
	/* where one of them has its number already dup2 leaves it closed on exec */
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    fcntl(STDIN_FILENO, F_SETFD, 0) == -1 || fcntl(STDOUT_FILENO, F_SETFD, 0) == -1)
		_exit(127);
	close_from(STDERR_FILENO + 1);
	(void)execve(argv[0], argv, env);
	log_warn("identity check: %s", argv[0]);
	_exit(127);
}

struct talk {
	int		 in, out;	/* the program's; in -1: closed */
	const struct buf *question;
	size_t		 sent, max;
	struct buf	*answer;
	const char	*why;		/* of a failure */
};

static int
transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

static void
close_in(struct talk *t)
{
	if (t->in != -1)
		(void)close(t->in);
	t->in = -1;
}

static int
tell(struct talk *t)
{
	ssize_t n = write(t->in, t->question->data + t->sent, t->question->len - t->sent);

	if (n > 0)
		t->sent += (size_t)n;
	else if (n == -1 && errno == EPIPE)
		t->sent = t->question->len;	/* it wants no more; what it says is judged */
	else if (n == -1 && !transient(errno)) {
		t->why = strerror(errno);
		return -1;
	}
	if (t->sent == t->question->len)
		close_in(t);			/* it learns that this is all */
	return 0;
}

/* 1 at its end, 0, -1. */
static int
hear(struct talk *t)
{
	char chunk[4096];
	ssize_t n = read(t->out, chunk, sizeof(chunk));

	if (n == 0)
		return 1;
	if (n == -1 && transient(errno))
		return 0;
	if (n == -1 || t->answer->len + (size_t)n > t->max) {
		t->why = n == -1 ? strerror(errno) : "answers more than it was asked";
		return -1;
	}
	(void)buf_append(t->answer, chunk, (size_t)n);
	return 0;
}

/* Writes and reads as either is possible, until the program closes its output. */
static int
talk(struct talk *t, usec_t end)
{
	struct pollfd pfd[2];
	usec_t left;
	int n, rc = 0;

	while (rc == 0) {
		pfd[0] = (struct pollfd){ .fd = t->out, .events = POLLIN };
		pfd[1] = (struct pollfd){ .fd = t->in, .events = POLLOUT };
		left = (end - clock_monotonic() + 999) / 1000;
		if (left <= 0 || (n = poll(pfd, 2, (int)left)) == 0) {
			t->why = "has not answered in time";
			rc = -1;
		} else if (n == -1 && errno != EINTR) {
			t->why = strerror(errno);
			rc = -1;
		} else if (n > 0) {
			if (pfd[1].fd != -1 && pfd[1].revents != 0)
				rc = tell(t);
			if (rc == 0 && pfd[0].revents != 0)
				rc = hear(t);
		}
	}
	close_in(t);
	return rc == 1 ? 0 : -1;
}

/* It closed its output; it has until end to go, too.  0, or -1 where it does not,
 * or was no good.  It stays to be reaped: until then no other has its number. */
static int
ended_well(pid_t pid, usec_t end, const char **why)
{
	struct pollfd none = { .fd = -1 };
	siginfo_t info = { 0 };
	int rc;

	while ((rc = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) == 0 && info.si_pid == 0 &&
	    clock_monotonic() < end)
		(void)poll(&none, 1, 10);
	if (rc == -1)
		*why = strerror(errno);
	else if (info.si_pid == 0)
		*why = "has not ended in time";
	else if (info.si_code != CLD_EXITED)
		*why = "was killed by a signal";
	else if (info.si_status != 0)
		*why = "has failed";
	else
		return 0;
	return -1;
}

static int
start(char *const *argv, int to[2], int from[2], pid_t *pid)
{
	to[0] = to[1] = from[0] = from[1] = -1;
	if (pipe2(to, O_CLOEXEC) == -1 || pipe2(from, O_CLOEXEC) == -1 ||
	    set_nonblock(to[1]) == -1 || set_nonblock(from[0]) == -1 || (*pid = fork()) == -1) {
		log_warn("identity check");
		return -1;
	}
	if (*pid == 0)
		be_program(argv, to[0], from[1]);
	(void)setpgid(*pid, *pid);	/* whichever of both is first */
	(void)close(to[0]);
	(void)close(from[1]);
	return 0;
}

int
identity_program(char *const *argv, const struct buf *question, int timeout, size_t max, struct buf *answer)
{
	usec_t end = clock_monotonic() + timeout * USEC_PER_SEC;
	struct talk t = { .question = question, .max = max, .answer = answer };
	int to[2], from[2], i, rc;
	pid_t pid;

	(void)signal(SIGPIPE, SIG_IGN);
	if (start(argv, to, from, &pid) == -1) {
		for (i = 0; i < 2; i++) {
			if (to[i] != -1)
				(void)close(to[i]);
			if (from[i] != -1)
				(void)close(from[i]);
		}
		return -1;
	}
	t.in = to[1];
	t.out = from[0];
	rc = talk(&t, end);
	(void)close(from[0]);
	if (rc == 0)
		rc = ended_well(pid, end, &t.why);
	/* what it started goes as well */
	(void)kill(-pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (rc == -1)
		log_alarm("identity check: %s: %s; what it was asked is asked again", argv[0], t.why);
	return rc;
}

int
identity_answer_parse(char *line, struct identity_answer *a)
{
	static const char *const verdicts[] = { "accepted", "refused", "unknown" };
	char *verdict, *text, *end;
	size_t i;

	if (!text_ok(line, strcspn(line, "\t")) || (verdict = strchr(line, '\t')) == NULL)
		return -1;
	*verdict++ = '\0';
	if ((text = strchr(verdict, '\t')) != NULL)
		*text++ = '\0';
	errno = 0;
	a->no = strtoll(line, &end, 10);
	if (line[0] < '1' || line[0] > '9' || *end != '\0' || errno != 0)
		return -1;
	a->text = text != NULL ? text : "";
	if (!text_ok(a->text, strlen(a->text)))
		return -1;
	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (strcmp(verdict, verdicts[i]) == 0) {
			a->verdict = verdicts[i];
			return 0;
		}
	return -1;
}
