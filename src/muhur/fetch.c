/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/limits.h"
#include "base/log.h"

#define CONNECT_TIMEOUT	10L	/* seconds; the whole has its own limit */

struct body {
	struct buf	*out;
	int64_t		 left;
	int		 too_large;
};

/* A length that was told can be wrong, or be none. */
static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct body *b = arg;

	n *= size;
	if ((int64_t)n > b->left) {
		b->too_large = 1;
		return 0;
	}
	b->left -= (int64_t)n;
	buf_append(b->out, data, n);
	return n;
}

/* Expect: makes small bodies wait for a second of nothing. */
static struct curl_slist *
headers(const struct fetch *f)
{
	struct curl_slist *list = NULL, *longer = NULL;
	char *lines[3];
	size_t i;

	if (f->post == NULL)
		return NULL;
	lines[0] = xasprintf("Content-Type: %s", f->post_type);
	lines[1] = xasprintf("Accept: %s", f->accept != NULL ? f->accept : "*/*");
	lines[2] = xstrdup("Expect:");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if ((longer = curl_slist_append(list, lines[i])) == NULL)
			fatalx("libcurl: out of memory");
		list = longer;
		free(lines[i]);
	}
	return list;
}

static CURLcode
set_options(CURL *curl, const struct fetch *f, const char *url, struct body *body,
    struct curl_slist *lines, char *error)
{
	const char *protocols = f->local ? "http,https,file" : "http,https";
	CURLcode rc = CURLE_OK;

#define SET(option, value) do {					\
	if (rc == CURLE_OK)					\
		rc = curl_easy_setopt(curl, option, value);	\
} while (0)
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, protocols);
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, f->post == NULL ? 1L : 0L);
	SET(CURLOPT_MAXREDIRS, (long)CRL_MAX_REDIRECTS);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT < f->timeout ? CONNECT_TIMEOUT : (long)f->timeout);
	SET(CURLOPT_TIMEOUT, (long)f->timeout);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max_size);
	SET(CURLOPT_USERAGENT, "muhur/" PACKAGE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, take);
	SET(CURLOPT_WRITEDATA, body);
	if (f->post != NULL) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->post_len);
		SET(CURLOPT_POSTFIELDS, f->post);
		SET(CURLOPT_HTTPHEADER, lines);
	}
#undef SET
	return rc;
}

int
fetch_url(const struct fetch *f, const char *url, struct buf *out, char *why, size_t size)
{
	struct body body = { out, f->max_size, 0 };
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *lines;
	static int ready;
	CURLcode rc;
	long status = 0;
	CURL *curl;

	if ((!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) ||
	    (curl = curl_easy_init()) == NULL)
		fatalx("libcurl cannot be set up");
	ready = 1;
	lines = headers(f);
	rc = set_options(curl, f, url, &body, lines, error);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(curl);
	if (rc == CURLE_OK && f->post != NULL)
		(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(lines);
	if (rc == CURLE_OK && f->post != NULL && status != 200) {	/* a redirection, say */
		(void)snprintf(why, size, "answers with HTTP status %ld", status);
		return -1;
	}
	if (rc == CURLE_OK)
		return 0;
	if (body.too_large || rc == CURLE_FILESIZE_EXCEEDED)
		(void)snprintf(why, size, "is larger than %s (%lld bytes)", f->limit != NULL ? f->limit :
		    "what is taken", (long long)f->max_size);
	else
		(void)snprintf(why, size, "%s", error[0] != '\0' ? error : curl_easy_strerror(rc));
	return -1;
}
