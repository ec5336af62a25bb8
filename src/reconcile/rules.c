/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "reconcile/rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"

#define RULE_MAX	(256 * 1024)	/* bytes of a rule file */

/* The end of "$tag$ ... $tag$" that begins at p, or NULL where p begins no
 * dollar quote ($1 is a parameter). */
static const char *
skip_dollar_quote(const char *p)
{
	const char *tag_end = p + 1, *end;
	char *tag;

	while ((*tag_end >= 'a' && *tag_end <= 'z') || (*tag_end >= 'A' && *tag_end <= 'Z') ||
	    *tag_end == '_')
		tag_end++;
	if (*tag_end != '$')
		return NULL;
	tag = xstrndup(p, (size_t)(tag_end + 1 - p));
	end = strstr(tag_end + 1, tag);
	end = end != NULL ? end + strlen(tag) : tag_end + 1 + strlen(tag_end + 1);
	free(tag);
	return end;
}

/* The first character after the comment or quote that begins at p; p where
 * none begins there.  Doubled quotes read as two quotes side by side. */
static const char *
skip_token(const char *p)
{
	const char *end;

	if (p[0] == '-' && p[1] == '-')
		return p + strcspn(p, "\n");
	if (p[0] == '/' && p[1] == '*') {
		end = strstr(p + 2, "*/");
		return end != NULL ? end + 2 : p + strlen(p);
	}
	if (p[0] == '\'' || p[0] == '"') {
		end = strchr(p + 1, p[0]);
		return end != NULL ? end + 1 : p + strlen(p);
	}
	if (p[0] == '$' && (end = skip_dollar_quote(p)) != NULL)
		return end;
	return p;
}

char *
rules_next_statement(const char **pp)
{
	const char *p = *pp, *start = NULL, *next;

	for (; *p != '\0' && *p != ';'; p = next) {
		next = skip_token(p);
		/* what begins a statement is neither space nor comment */
		if (start == NULL && strchr(" \t\r\n", *p) == NULL &&
		    strncmp(p, "--", 2) != 0 && strncmp(p, "/*", 2) != 0)
			start = p;
		if (next == p)
			next++;
	}
	*pp = *p == ';' ? p + 1 : p;
	if (start == NULL)
		return *p == ';' ? rules_next_statement(pp) : NULL;
	return xstrndup(start, (size_t)(p - start));
}

static int
load_rule(int dirfd, const char *name, struct rule *rule)
{
	const char *p;
	char *text = NULL, *statement;
	size_t len;
	int fd, rc = -1;

	if ((fd = open_beneath(dirfd, name, O_RDONLY, 0)) == -1 ||
	    fd_read_all(fd, RULE_MAX, &text, &len) == -1) {
		log_warn("rules: %s", name);
		goto out;
	}
	if (strlen(text) != len) {
		log_warnx("rules: %s: holds a NUL byte", name);
		goto out;
	}
	rule->name = xstrdup(name);
	for (p = text; (statement = rules_next_statement(&p)) != NULL;) {
		rule->statement = xreallocarray(rule->statement, rule->nstatements + 1,
		    sizeof(*rule->statement));
		rule->statement[rule->nstatements++] = statement;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	free(text);
	return rc;
}

static int
is_rule(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && strcmp(e->d_name + len - 4, ".sql") == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the rule files, sorted by bytes; -1 with the cause logged. */
static int
list_rules(int dirfd, char ***names, size_t *n)
{
	struct dirent *e;
	DIR *dir;
	int fd;

	if ((fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0)) == -1 || (dir = fdopendir(fd)) == NULL) {
		log_warn("rules: the directory");
		if (fd != -1)
			close(fd);
		return -1;
	}
	rewinddir(dir);
	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0) {
		if (!is_rule(e))
			continue;
		*names = xreallocarray(*names, *n + 1, sizeof(**names));
		(*names)[(*n)++] = xstrdup(e->d_name);
	}
	if (errno != 0)
		log_warn("rules: the directory");
	else if (*n == 0)
		log_warnx("rules: the directory holds no *.sql file");
	else
		qsort(*names, *n, sizeof(**names), by_name);
	fd = errno != 0 || *n == 0 ? -1 : 0;
	closedir(dir);
	return fd;
}

struct rules *
rules_load(int dirfd)
{
	struct rules *rules = xcalloc(1, sizeof(*rules));
	char **names = NULL;
	size_t n = 0, i;
	int rc = -1;

	if (list_rules(dirfd, &names, &n) == -1)
		goto out;
	rules->v = xcalloc(n, sizeof(*rules->v));
	for (i = 0; i < n; i++) {
		rules->n++;
		if (load_rule(dirfd, names[i], &rules->v[i]) == -1)
			goto out;
	}
	rc = 0;
out:
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	if (rc == -1) {
		rules_free(rules);
		rules = NULL;
	}
	return rules;
}

void
rules_free(struct rules *rules)
{
	size_t i, j;

	if (rules == NULL)
		return;
	for (i = 0; i < rules->n; i++) {
		for (j = 0; j < rules->v[i].nstatements; j++)
			free(rules->v[i].statement[j]);
		free(rules->v[i].statement);
		free(rules->v[i].name);
	}
	free(rules->v);
	free(rules);
}
