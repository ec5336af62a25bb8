/* SPDX-License-Identifier: ISC */
/*
 * Evidence for an inspection (m.54): a container for each submission of a member
 * from one day to another, and two listings of them.  A submission belongs to the
 * business day that it is about where that is asked for, else to the day
 * (Istanbul) on which it came.  A day without any is said to be one.
 */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "muhur/evidence.h"

enum { C_DAY, C_ID, C_RECEIVED, C_UPLOADER, C_TYPE, C_DATE, C_STATE, C_REASONS, C_FILE, C_SHA256, C_DECIDED, C_PURGED };

static const char range_sql[] =
	"WITH s AS (SELECT s.*, (s.received_at AT TIME ZONE 'Europe/Istanbul')::date AS came FROM muhur.submission s "
	"WHERE s.member_code = $1), "
	"d AS (SELECT s.*, CASE WHEN business_date BETWEEN $2::date AND $3::date THEN business_date ELSE came END AS day FROM s "
	"WHERE business_date BETWEEN $2::date AND $3::date OR came BETWEEN $2::date AND $3::date) "
	"SELECT g.day::date, d.id, " SQL_TIME("d.received_at") ", d.uploader, d.message_type, d.business_date, d.state, "
	"(SELECT string_agg(DISTINCT r.code, ' ' ORDER BY r.code) FROM muhur.submission_reason r WHERE r.submission = d.no), "
	"d.file_name, d.sha256, d.decided_at IS NOT NULL AND d.sha256 IS NOT NULL, "
	SQL_TIME(EVIDENCE_PURGED_AT("d")) " "
	"FROM generate_series($2::date::timestamp, $3::date::timestamp, '1 day') AS g (day) "
	"LEFT JOIN d ON d.day = g.day::date ORDER BY g.day, d.no";

struct range {
	struct cmd	*c;
	const char	*member, *from, *to, *dir;
	struct buf	 csv, rows[2];
	int		 made, purged, rc;
};

static const char *
value(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? "" : PQgetvalue(res, row, column);
}

static void
csv_field(struct buf *b, const char *s, const char *end)
{
	cmd_csv_field(b, s);
	buf_puts(b, end);
}

/* A line of both listings; container "": there is none, and why. */
static void
list(struct range *r, const PGresult *res, int row, const char *container, const char *sha256, const char *const why[2])
{
	int i, l;

	for (i = C_DAY; i <= C_SHA256; i++)
		csv_field(&r->csv, value(res, row, i), ",");
	csv_field(&r->csv, container, ",");
	csv_field(&r->csv, sha256, ",");
	csv_field(&r->csv, why[EN], "\r\n");
	for (l = TR; l <= EN; l++) {
		buf_printf(&r->rows[l], "<tr><td>%s</td>", value(res, row, C_DAY));
		if (PQgetisnull(res, row, C_ID)) {
			buf_printf(&r->rows[l], "<td colspan=\"6\">%s</td></tr>\n", why[l]);
			continue;
		}
		for (i = C_RECEIVED; i <= C_TYPE; i++) {
			buf_puts(&r->rows[l], "<td>");
			evidence_escape(&r->rows[l], value(res, row, i));
			buf_puts(&r->rows[l], "</td>");
		}
		buf_puts(&r->rows[l], "<td>");
		evidence_escape(&r->rows[l], value(res, row, C_FILE));
		buf_printf(&r->rows[l], "</td><td>%s ", evidence_word(value(res, row, C_STATE), l));
		evidence_escape(&r->rows[l], value(res, row, C_REASONS));
		if (container[0] != '\0')
			buf_printf(&r->rows[l], "</td><td><a href=\"%s\">%s</a><br/><code>%s</code></td></tr>\n", container,
			    container, sha256);
		else
			buf_printf(&r->rows[l], "</td><td>%s</td></tr>\n", why[l]);
	}
}

/* What a retention that is over took is no trouble, but it is said, and since when. */
static void
list_purged(struct range *r, const PGresult *res, int row)
{
	char *why[] = { xasprintf("Saklama süresi doldu, silindi: %s.", value(res, row, C_PURGED)),
	    xasprintf("Purged at %s, when its retention was over.", value(res, row, C_PURGED)) };
	const char *const words[] = { why[TR], why[EN] };

	list(r, res, row, "", "", words);
	free(why[TR]);
	free(why[EN]);
}

static void
one(struct range *r, const struct evidence_means *m, const PGresult *res, int row)
{
	static const char *const nothing[] = { "Bu gün hiç gönderim yok.", "No submission on this day." };
	static const char *const undecided[] = { "Henüz karar verilmedi.", "Not decided yet." };
	static const char *const failed[] = { "Kanıt dosyası yapılamadı.", "Its evidence could not be made." };
	static const char *const none[] = { "", "" };
	char sha256[SHA256_HEX_SIZE] = "", *name, *path;
	int rc;

	if (PQgetisnull(res, row, C_ID)) {
		list(r, res, row, "", "", nothing);
		return;
	}
	if (strcmp(value(res, row, C_DECIDED), "t") != 0) {
		list(r, res, row, "", "", undecided);
		return;
	}
	if (!PQgetisnull(res, row, C_PURGED)) {
		r->purged++;
		list_purged(r, res, row);
		return;
	}
	name = xasprintf("%s.%s.asice", value(res, row, C_DAY), value(res, row, C_ID));
	path = xasprintf("%s/%s", r->dir, name);
	if ((rc = evidence_export(r->c, m, value(res, row, C_ID), path, sha256)) == EXIT_YES) {
		r->made++;
		list(r, res, row, name, sha256, none);
	} else {
		r->rc = rc;
		list(r, res, row, "", "", failed);
	}
	free(name);
	free(path);
}

static int
write_listings(struct range *r)
{
	static const char *const title[] = { "İnceleme için kanıt dosyaları", "Evidence for an inspection" };
	static const char *const head[] = {
		"<tr><th>Gün</th><th>Alındığı an</th><th>Gönderen</th><th>Tür</th><th>Dosya</th><th>Karar</th><th>Kanıt</th></tr>\n",
		"<tr><th>Day</th><th>Received at</th><th>Sent by</th><th>Type</th><th>File</th><th>Verdict</th><th>Evidence</th></tr>\n" };
	struct buf html = { 0 };
	int l, fd, rc = -1;

	buf_printf(&html, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"tr\">\n<head>\n"
	    "<meta charset=\"utf-8\"/>\n<title>%s %s – %s</title>\n<style>body{font:11pt/1.4 sans-serif;margin:2rem}"
	    "table{border-collapse:collapse;width:100%%}th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;"
	    "vertical-align:top;overflow-wrap:anywhere}</style>\n</head>\n<body>\n", r->member, r->from, r->to);
	for (l = TR; l <= EN; l++)
		buf_printf(&html, "<section lang=\"%s\">\n<h1>%s</h1>\n<p>%s, %s – %s</p>\n<table>\n%s%s</table>\n</section>\n",
		    l == TR ? "tr" : "en", title[l], r->member, r->from, r->to, head[l], r->rows[l].data);
	buf_puts(&html, "</body>\n</html>\n");
	if ((fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    file_write_durable(fd, "index.csv", r->csv.data, r->csv.len, 0640) == -1 ||
	    file_write_durable(fd, "index.html", html.data, html.len, 0640) == -1)
		log_warn("%s", r->dir);
	else
		rc = 0;
	if (fd != -1)
		(void)close(fd);
	buf_free(&html);
	return rc;
}

int
evidence_range(struct cmd *c, const struct evidence_means *m, const char *member, const char *from,
    const char *to, const char *dir)
{
	struct range r = { .c = c, .member = member, .from = from, .to = to, .dir = dir, .rc = EXIT_YES };
	const char *params[] = { member, from, to };
	PGresult *res;
	int i;

	if (cmd_member_ok(c, member) == -1)
		return EXIT_NO;
	if (strcmp(from, to) > 0) {
		log_warnx("%s: the first day is behind the last", from);
		return EXIT_USAGE;
	}
	if (mkdir(dir, 0750) == -1) {
		log_warn("%s", dir);
		return EXIT_ENVIRONMENT;
	}
	buf_puts(&r.csv, "day,submission,receivedAt,uploader,messageType,businessDate,state,reasons,fileName,sha256,"
	    "container,containerSha256,note\r\n");
	res = cmd_query(c, range_sql, 3, params);
	for (i = 0; i < PQntuples(res); i++)
		one(&r, m, res, i);
	PQclear(res);
	if (write_listings(&r) == -1)
		r.rc = EXIT_ENVIRONMENT;
	if (c->json)
		cmd_json(json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "member", member, "from", from, "to", to, "directory", dir,
		    "containers", r.made, "purged", r.purged));
	else
		printf("%s: %d containers of %s, %s to %s, %d purged; index.html, index.csv\n", dir, r.made, member, from, to,
		    r.purged);
	for (i = TR; i <= EN; i++)
		buf_free(&r.rows[i]);
	buf_free(&r.csv);
	return r.rc;
}
