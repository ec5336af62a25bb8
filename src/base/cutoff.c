/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/cutoff.h"

#include <string.h>

#include "base/conf.h"

int
cutoff_parse_time(const char *s, int *hour, int *minute)
{
	int i;

	for (i = 0; i < 5; i++)
		if (i == 2 ? s[i] != ':' : s[i] < '0' || s[i] > '9')
			return -1;
	*hour = (s[0] - '0') * 10 + (s[1] - '0');
	*minute = (s[3] - '0') * 10 + (s[4] - '0');
	return s[5] == '\0' && *hour < 24 && *minute < 60 ? 0 : -1;
}

int
cutoff_parse(const char *s, struct cutoff *c)
{
	size_t n = strcspn(s, "=");

	memset(c, 0, sizeof(*c));
	if (n == 0 || n >= sizeof(c->message_type) || s[n] != '=')
		return -1;
	memcpy(c->message_type, s, n);
	return cutoff_parse_time(s + n + 1, &c->hour, &c->minute);
}

usec_t
conf_cutoff(const struct conf *conf, const char *message_type, date_t business_date)
{
	const struct cutoff *c = conf->cutoffs;
	size_t i;

	for (i = 0; message_type != NULL && i < conf->ncutoffs; i++)
		if (strcmp(c[i].message_type, message_type) == 0)
			return istanbul_time(business_date + 1, c[i].hour, c[i].minute);
	return istanbul_time(business_date + 1, conf->cutoff_hour, conf->cutoff_minute);
}
