/* SPDX-License-Identifier: ISC */
/*
 * Log lines go to standard error, one a line:
 *	2026-11-21T21:27:24.123Z muhur-verify[4711]: warning: what: why
 * Control characters in arguments are escaped, so a peer cannot forge a
 * line.  muhurd points standard error at the log file; the command `muhur'
 * prints "muhur: what: why" without time (log_init with LOG_COMMAND).
 * Never log a secret, a key, or an investor's data.
 */
#ifndef MUHUR_BASE_LOG_H
#define MUHUR_BASE_LOG_H

enum log_style { LOG_DAEMON, LOG_COMMAND };

/* progname must outlive the process.  verbose > 0 also shows log_debug. */
void log_init(const char *progname, enum log_style style, int verbose);
const char *log_progname(void);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Something an operator should see: warn adds strerror(errno), warnx not. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Our own trouble, needing an operator: same form, level "alarm". */
void log_alarm(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Log and exit with status 3 (the environment failed). */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatalx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
