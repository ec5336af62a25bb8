/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/tilepath.h"

#define GROUPS_MAX	7	/* of three digits: 2^64 has 20 */
#define FILE_YES	1
#define FOLDER_YES	2

void
tile_number(uint64_t n, char path[TILE_PATH_SIZE])
{
	unsigned groups[GROUPS_MAX], count = 0;
	int len = 0;

	do {
		groups[count++] = (unsigned)(n % 1000);
		n /= 1000;
	} while (n > 0);
	while (count-- > 0)
		len += snprintf(path + len, TILE_PATH_SIZE - (size_t)len,
		    count > 0 ? "x%03u/" : "%03u", groups[count]);
}

void
tile_path(int level, uint64_t n, unsigned width, char path[TILE_PATH_SIZE])
{
	char number[TILE_PATH_SIZE], folder[16], partial[8] = "";

	tile_number(n, number);
	if (level < 0)
		(void)snprintf(folder, sizeof(folder), "entries");
	else
		(void)snprintf(folder, sizeof(folder), "%u", (unsigned)level & 0xff);
	if (width < TILE_WIDTH)
		(void)snprintf(partial, sizeof(partial), ".p/%u", width);
	/* 13 + 34 + 6 bytes at the most */
	(void)snprintf(path, TILE_PATH_SIZE, "tile/%s/%.40s%s", folder, number, partial);
}

/* A whole number without a sign or a leading zero, at most max; -1 where it is none. */
static long long
number(const char *s, size_t len, long long max)
{
	long long v = 0;
	size_t i;

	if (len == 0 || (s[0] == '0' && len > 1))
		return -1;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || v > max / 10 ||
		    v * 10 > max - (s[i] - '0'))
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

static int
three_digits(const char *s)
{
	return strspn(s, "0123456789") >= 3;
}

/* "", "/x001", "/x001/067", "/067.p", "/067.p/17" behind tile/<L>. */
static int
tile_ok(const char *s)
{
	int groups;

	for (groups = 0; s[0] == '/' && s[1] == 'x'; groups++) {
		/* a number has no leading zeros, hence no leading x000 */
		if (groups == GROUPS_MAX - 1 || !three_digits(s + 2) ||
		    (groups == 0 && strncmp(s + 2, "000", 3) == 0))
			return 0;
		s += 5;
	}
	if (*s == '\0')
		return FOLDER_YES;
	if (*s++ != '/' || !three_digits(s))
		return 0;
	s += 3;
	if (*s == '\0')
		return FILE_YES;
	if (strncmp(s, ".p", 2) != 0)
		return 0;
	s += 2;
	if (*s == '\0')
		return FOLDER_YES;
	return *s == '/' && number(s + 1, strlen(s + 1), TILE_WIDTH - 1) > 0 ? FILE_YES : 0;
}

static int
tiles_ok(const char *s)
{
	size_t len;

	if (*s == '\0')
		return FOLDER_YES;
	if (*s++ != '/')
		return 0;
	len = strcspn(s, "/");
	if (!(len == 7 && strncmp(s, "entries", 7) == 0) && number(s, len, TILE_LEVELS - 1) == -1)
		return 0;
	return tile_ok(s + len);
}

/* "", "/2026-11-26", "/2026-11-26/1234", "/2026-11-26/1234.tsr". */
static int
checkpoints_ok(const char *s)
{
	char day[DATE_SIZE];
	size_t len;
	date_t d;

	if (*s == '\0')
		return FOLDER_YES;
	if (*s++ != '/' || strlen(s) < DATE_SIZE - 1)
		return 0;
	memcpy(day, s, DATE_SIZE - 1);
	day[DATE_SIZE - 1] = '\0';
	if (date_parse(day, &d) == -1)
		return 0;
	s += DATE_SIZE - 1;
	if (*s == '\0')
		return FOLDER_YES;
	if (*s++ != '/')
		return 0;
	len = strcspn(s, ".");
	return number(s, len, INT64_MAX) != -1 && (s[len] == '\0' || strcmp(s + len, ".tsr") == 0) ?
	    FILE_YES : 0;
}

int
trail_path_ok(const char *path)
{
	if (path[0] == '\0')
		return FOLDER_YES;
	if (strlen(path) >= TILE_PATH_SIZE)
		return 0;
	if (strcmp(path, "checkpoint") == 0 || strcmp(path, "key") == 0)
		return FILE_YES;
	if (strncmp(path, "tile", 4) == 0)
		return tiles_ok(path + 4);
	if (strncmp(path, "checkpoints", 11) == 0)
		return checkpoints_ok(path + 11);
	return 0;
}

int
trail_path_partial(const char *path, char whole[TILE_PATH_SIZE])
{
	const char *p = strstr(path, ".p");
	size_t len;

	if (p == NULL || (len = (size_t)(p - path)) >= TILE_PATH_SIZE)
		return -1;
	memcpy(whole, path, len);
	whole[len] = '\0';
	return p[2] == '/' ? atoi(p + 3) : 0;
}
