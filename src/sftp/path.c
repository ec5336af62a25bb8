/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/ident.h"
#include "model/tilepath.h"
#include "sftp/path.h"

/* Append "/part" to text of length *len; ".." takes the last one away. */
static int
add_part(char text[SFTP_PATH_SIZE], size_t *len, const uint8_t *part, size_t n)
{
	if (n == 0 || (n == 1 && part[0] == '.'))
		return 0;
	if (n == 2 && part[0] == '.' && part[1] == '.') {
		while (*len > 0 && text[*len - 1] != '/')
			(*len)--;
		if (*len > 0)
			(*len)--;
		text[*len] = '\0';
		return 0;
	}
	if (*len + 1 + n >= SFTP_PATH_SIZE)
		return -1;
	text[(*len)++] = '/';
	memcpy(text + *len, part, n);
	*len += n;
	text[*len] = '\0';
	return 0;
}

static int
normalise(const uint8_t *p, size_t n, char text[SFTP_PATH_SIZE])
{
	size_t i, start = 0, len = 0;

	text[0] = '\0';
	if (n > 0 && memchr(p, '\0', n) != NULL)
		return -1;
	for (i = 0; i <= n; i++) {
		if (i < n && p[i] != '/')
			continue;
		if (i > start && add_part(text, &len, p + start, i - start) == -1)
			return -1;
		start = i + 1;
	}
	if (len == 0) {
		text[0] = '/';
		text[1] = '\0';
	}
	return 0;
}

/* Is the last part "", "." or ".."? */
static int
names_folder(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = n; i > 0 && p[i - 1] == '.'; i--)
		;
	return n - i <= 2 && (i == 0 || p[i - 1] == '/');
}

/* The file name at s becomes v->name if it may be one; kind is what it then
 * is.  What it looks like decides, whether it exists is asked later. */
static void
classify_file(struct vpath *v, const char *s, enum vpath_kind kind)
{
	if (strchr(s, '/') != NULL)
		return;
	if (!file_name_ok(s) || str_copy(v->name, sizeof(v->name), s) == -1) {
		v->in_inbox = kind == VP_INBOX_FILE;
		return;
	}
	v->kind = kind;
}

static void
classify_archive(struct vpath *v, const char *s)
{
	size_t n = strcspn(s, "/");
	date_t d;

	if (n < sizeof(v->member)) {
		memcpy(v->member, s, n);
		v->member[n] = '\0';
		if (!member_code_ok(v->member))
			v->member[0] = '\0';
		else if (s[n] == '\0') {
			v->kind = VP_MEMBER;
			return;
		} else
			s += n + 1;
	}
	if (strlen(s) < DATE_SIZE - 1)
		return;
	memcpy(v->day, s, DATE_SIZE - 1);
	v->day[DATE_SIZE - 1] = '\0';
	s += DATE_SIZE - 1;
	if (date_parse(v->day, &d) == -1) {
		v->day[0] = '\0';
		return;
	}
	if (*s == '\0')
		v->kind = VP_DAY;
	else if (*s == '/')
		classify_file(v, s + 1, VP_ARCHIVE_FILE);
}

/* What the log may have, by its form; s: "", or begins with a slash. */
static void
classify_trail(struct vpath *v, const char *s)
{
	static const enum vpath_kind kinds[] = { VP_NONE, VP_TRAIL_FILE, VP_TRAIL };

	if (*s == '/')
		s++;
	v->kind = kinds[trail_path_ok(s)];
	if (v->kind != VP_NONE && str_copy(v->name, sizeof(v->name), s) == -1)
		v->kind = VP_NONE;
}

int
vpath_parse(const uint8_t *p, size_t n, struct vpath *v)
{
	const char *t = v->text;

	memset(v, 0, sizeof(*v));
	if (normalise(p, n, v->text) == -1)
		return -1;
	if (strcmp(t, "/") == 0)
		v->kind = VP_ROOT;
	else if (strcmp(t, "/inbox") == 0)
		v->kind = VP_INBOX;
	else if (strcmp(t, "/outbox") == 0)
		v->kind = VP_OUTBOX;
	else if (strcmp(t, "/archive") == 0)
		v->kind = VP_ARCHIVE;
	else if (strncmp(t, "/inbox/", 7) == 0)
		classify_file(v, t + 7, VP_INBOX_FILE);
	else if (strncmp(t, "/outbox/", 8) == 0)
		classify_file(v, t + 8, VP_OUTBOX_FILE);
	else if (strncmp(t, "/archive/", 9) == 0)
		classify_archive(v, t + 9);
	else if (strcmp(t, "/trail") == 0 || strncmp(t, "/trail/", 7) == 0)
		classify_trail(v, t + 6);
	/* "x/", "x/." and "x/y/.." mean a folder, and where a file may be is none */
	if (!vpath_is_dir(v) && v->kind != VP_NONE && names_folder(p, n)) {
		v->in_inbox = v->kind == VP_INBOX_FILE;
		v->kind = VP_NONE;
		v->name[0] = '\0';
	}
	return 0;
}

int
vpath_is_dir(const struct vpath *v)
{
	return v->kind >= VP_ROOT && v->kind <= VP_TRAIL;
}

int
vpath_in_trail(const struct vpath *v)
{
	return v->kind == VP_TRAIL || v->kind == VP_TRAIL_FILE;
}

int
vpath_is_others(const struct vpath *v)
{
	return v->kind != VP_NONE && v->member[0] != '\0';
}
