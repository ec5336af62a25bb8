/* SPDX-License-Identifier: ISC */
/* The bytes of a client: framing, every request, the beginnings of WRITEs,
 * and the paths in them; and answers that say them back. */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "model/ident.h"
#include "model/tilepath.h"
#include "sftp/codec.h"
#include "sftp/path.h"

#define LONGNAME_SIZE	1000	/* longer than listing.c makes them */

/* A string must lie within its packet. */
static void
check_str(const struct sftp_str *s, const uint8_t *p, size_t n)
{
	CHECK(s->len == 0 || (s->p >= p && s->p + s->len <= p + n));
}

static void
check_path(const struct sftp_str *s)
{
	struct vpath v;

	if (vpath_parse(s->p, s->len, &v) == -1)
		return;
	CHECK(v.text[0] == '/' && strlen(v.text) < SFTP_PATH_SIZE);
	CHECK(strstr(v.text, "//") == NULL && strstr(v.text, "/../") == NULL);
	CHECK(v.member[0] == '\0' || member_code_ok(v.member));
	if (vpath_in_trail(&v))
		CHECK(trail_path_ok(v.name) == (vpath_is_dir(&v) ? 2 : 1));
	else if (v.kind >= VP_INBOX_FILE)
		CHECK(v.name[0] != '\0' && v.name[0] != '.' && strchr(v.name, '/') == NULL);
	else
		CHECK(v.name[0] == '\0');
}

/* What is unsent are whole packets of their own length.  Returns how many. */
static size_t
count_packets(const struct sftp_out *o)
{
	const uint8_t *p = o->data + o->off;
	size_t left = o->len, total, n;

	CHECK(o->off + o->len <= SFTP_OUT_SIZE);
	for (n = 0; left > 0; n++) {
		CHECK(sftp_frame(p, left, &total) == 0 && total > 0 && total <= left);
		CHECK(total <= SFTP_MAX_ANSWER);
		p += total;
		left -= total;
	}
	return n;
}

/* Answers with what was asked in them, the first half sent when a listing that
 * is as long as may be comes behind it. */
static void
check_answers(const struct sftp_request *r)
{
	static struct sftp_out o;
	char longname[LONGNAME_SIZE];
	struct vpath v;
	uint32_t names = 0;
	size_t mark;

	if (vpath_parse(r->path.p, r->path.len, &v) == -1)
		v.text[0] = '\0';
	o.off = o.len = 0;
	sftp_put_status(&o, r->id, FX_FAILURE, v.text);
	sftp_put_attrs(&o, r->id, &r->attrs);
	CHECK(count_packets(&o) == 2);
	sftp_out_sent(&o, r->offset % (o.len + 1));
	memset(longname, 'x', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	mark = sftp_name_begin(&o, r->id);
	while (sftp_name_add(&o, mark, v.text, longname, &r->attrs) == 0)
		names++;
	sftp_name_end(&o, mark, names);
	CHECK(names >= SFTP_MAX_ANSWER / (SFTP_PATH_SIZE + LONGNAME_SIZE + 64));
	CHECK(!sftp_out_full(&o) && o.off == 0 && mark < o.len);
	sftp_out_sent(&o, mark);
	CHECK(count_packets(&o) == 1);
}

static void
check_request(const uint8_t *p, size_t total, struct sftp_request *r)
{
	if (sftp_parse(p + 4, total - 4, r) == -1)
		return;
	check_str(&r->path, p, total);
	check_str(&r->target, p, total);
	check_str(&r->handle, p, total);
	check_str(&r->data, p, total);
	check_str(&r->extension, p, total);
	CHECK(sftp_handle_number(&r->handle) < SFTP_MAX_HANDLES);
	check_path(&r->path);
	check_path(&r->target);
	check_answers(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sftp_request r;
	size_t total;
	int head;

	while (sftp_frame(data, size, &total) == 0 && total > 0) {
		if ((head = sftp_parse_write_head(data, size, total, &r)) > 0)
			CHECK((size_t)head + r.len <= total && (size_t)head <= size);
		if (total > size)
			break;
		check_request(data, total, &r);
		data += total;
		size -= total;
	}
	return 0;
}
