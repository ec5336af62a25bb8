/* SPDX-License-Identifier: ISC */
/* The bytes of a client: framing, every request, the beginnings of WRITEs,
 * and the paths in them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sftp/codec.h"
#include "sftp/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int holds)
{
	if (!holds)
		abort();
}

/* A string must lie within its packet. */
static void
check_str(const struct sftp_str *s, const uint8_t *p, size_t n)
{
	check(s->len == 0 || (s->p >= p && s->p + s->len <= p + n));
}

static void
check_path(const struct sftp_str *s)
{
	struct vpath v;

	if (vpath_parse(s->p, s->len, &v) == -1)
		return;
	check(v.text[0] == '/' && strlen(v.text) < VPATH_SIZE);
	check(strstr(v.text, "//") == NULL && strstr(v.text, "/../") == NULL);
	if (v.kind >= VP_INBOX_FILE)
		check(v.name[0] != '\0' && v.name[0] != '.' && strchr(v.name, '/') == NULL);
	else
		check(v.name[0] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sftp_request r;
	size_t total;
	int head;

	while (sftp_frame(data, size, &total) == 0 && total > 0) {
		if ((head = sftp_parse_write_head(data, size, total, &r)) > 0)
			check((size_t)head + r.len <= total && (size_t)head <= size);
		if (total > size)
			break;
		if (sftp_parse(data + 4, total - 4, &r) == 0) {
			check_str(&r.path, data, total);
			check_str(&r.target, data, total);
			check_str(&r.handle, data, total);
			check_str(&r.data, data, total);
			check_str(&r.extension, data, total);
			check(sftp_handle_number(&r.handle) < SFTP_MAX_HANDLES);
			check_path(&r.path);
			check_path(&r.target);
		}
		data += total;
		size -= total;
	}
	return 0;
}
