/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* A line goes out in one write(2), so that processes sharing the log do not
 * mix theirs; longer ones are cut.  PIPE_BUF is 4096 on Linux. */
#define LINE_MAX_SIZE	4096
#define TEXT_MAX_SIZE	3072

static const char	*progname = "muhur";
static enum log_style	 style = LOG_COMMAND;
static int		 verbose;

void
log_init(const char *name, enum log_style how, int v)
{
	progname = name;
	style = how;
	verbose = v;
}

const char *
log_progname(void)
{
	return progname;
}

/* What a terminal or a reader of lines would take for more than text: C0,
 * DEL, and C1 in its UTF-8 form. */
static int
is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f ||
	    (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f);
}

/* Append text to line with control characters as \xNN; returns the length. */
static size_t
escape(char *line, size_t pos, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s;
	int pending = 0;

	for (s = (const unsigned char *)text; *s != '\0'; s++) {
		if (pos + 6 > LINE_MAX_SIZE)
			break;
		/* the second byte of a C1 control is escaped with its first */
		if (pending == 0 && is_control(s))
			pending = *s == 0xc2 ? 2 : 1;
		if (pending > 0) {
			pending--;
			line[pos++] = '\\';
			line[pos++] = 'x';
			line[pos++] = hex[*s >> 4];
			line[pos++] = hex[*s & 15];
		} else if (*s == '\\') {
			line[pos++] = '\\';
			line[pos++] = '\\';
		} else
			line[pos++] = (char)*s;
	}
	return pos;
}

/* The beginning of a line: time, program, process and level. */
static size_t
heading(char *line, size_t size, const char *level)
{
	struct timespec ts;
	struct tm tm;
	int n;

	if (style == LOG_COMMAND)
		n = snprintf(line, size, "%s: ", progname);
	else {
		(void)clock_gettime(CLOCK_REALTIME, &ts);
		(void)gmtime_r(&ts.tv_sec, &tm);
		n = snprintf(line, size,
		    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s[%ld]: %s: ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		    tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000, progname,
		    (long)getpid(), level);
	}
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

static void __attribute__((format(printf, 3, 0)))
emit(const char *level, int error, const char *fmt, va_list ap)
{
	char line[LINE_MAX_SIZE + 8], text[TEXT_MAX_SIZE];
	int saved = errno;
	size_t pos, done;
	ssize_t n;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	pos = heading(line, LINE_MAX_SIZE, level);
	pos = escape(line, pos, text);
	if (error != 0) {
		pos = escape(line, pos, ": ");
		pos = escape(line, pos, strerror(error));
	}
	line[pos++] = '\n';
	for (done = 0; done < pos; done += (size_t)n) {
		n = write(STDERR_FILENO, line + done, pos - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;	/* nowhere is left to say it */
	}
	errno = saved;
}

#define EMIT(level, error) do { \
	va_list ap; \
	va_start(ap, fmt); \
	emit((level), (error), fmt, ap); \
	va_end(ap); \
} while (0)

void
log_debug(const char *fmt, ...)
{
	if (verbose > 0)
		EMIT("debug", 0);
}

void
log_info(const char *fmt, ...)
{
	EMIT("info", 0);
}

void
log_warn(const char *fmt, ...)
{
	int error = errno;

	EMIT("warning", error);
}

void
log_warnx(const char *fmt, ...)
{
	EMIT("warning", 0);
}

void
log_alarm(const char *fmt, ...)
{
	EMIT("alarm", 0);
}

void
fatal(const char *fmt, ...)
{
	int error = errno;

	EMIT("fatal", error);
	exit(3);
}

void
fatalx(const char *fmt, ...)
{
	EMIT("fatal", 0);
	exit(3);
}
