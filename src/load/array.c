/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "load/array.h"

#include <string.h>

void
array_add(struct buf *b, const char *s)
{
	size_t	 n;

	(void)buf_puts(b, b->len == 0 ? "{\"" : ",\"");
	for (;;) {
		n = strcspn(s, "\"\\");
		(void)buf_append(b, s, n);
		s += n;
		if (*s == '\0')
			break;
		(void)buf_append(b, "\\", 1);
		(void)buf_append(b, s++, 1);
	}
	(void)buf_puts(b, "\"");
}

void
array_add_number(struct buf *b, long long n)
{
	(void)buf_printf(b, "%c%lld", b->len == 0 ? '{' : ',', n);
}

const char *
array_end(struct buf *b)
{
	(void)buf_puts(b, b->len == 0 ? "{}" : "}");
	return b->data;
}
