/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/fetch.h"

#include <stdio.h>
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

static CURLcode
set_options(CURL *curl, const struct fetch *f, const char *url, struct body *body, char *error)
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
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)CRL_MAX_REDIRECTS);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT < f->timeout ? CONNECT_TIMEOUT : (long)f->timeout);
	SET(CURLOPT_TIMEOUT, (long)f->timeout);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max_size);
	SET(CURLOPT_USERAGENT, "muhur/" PACKAGE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, take);
	SET(CURLOPT_WRITEDATA, body);
#undef SET
	return rc;
}

int
fetch_url(const struct fetch *f, const char *url, struct buf *out, char *why, size_t size)
{
	struct body body = { out, f->max_size, 0 };
	char error[CURL_ERROR_SIZE] = "";
	static int ready;
	CURLcode rc;
	CURL *curl;

	if ((!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) ||
	    (curl = curl_easy_init()) == NULL)
		fatalx("libcurl cannot be set up");
	ready = 1;
	rc = set_options(curl, f, url, &body, error);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	if (rc == CURLE_OK)
		return 0;
	if (body.too_large || rc == CURLE_FILESIZE_EXCEEDED)
		(void)snprintf(why, size, "is larger than crl_max_size");
	else
		(void)snprintf(why, size, "%s", error[0] != '\0' ? error : curl_easy_strerror(rc));
	return -1;
}
