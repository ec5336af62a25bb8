/* SPDX-License-Identifier: ISC */
/* `muhur c14n': what is digested, for finding out why a digest differs. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "base/log.h"
#include "document/pipeline.h"
#include "xml/dsig.h"
#include "xml/pull.h"

struct canonical {
	struct pull	*pull;
	struct c14n	*c14n;
	int		 keep_signature;
	int		 in_signature;	/* depth of the open one that is left out */
	int		 out;
};

static int
write_out(void *arg, const char *p, size_t n)
{
	struct canonical *c = arg;

	if (write_full(c->out, p, n) == 0)
		return 0;
	log_warn("write");
	return -1;
}

static int
on_start(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri,
    int nb_namespaces, const xmlChar **namespaces, int nb_attributes, const xmlChar **attributes)
{
	struct canonical *c = arg;

	if (c->in_signature)
		return 0;
	if (!c->keep_signature && pull_depth(c->pull) == 2 && uri != NULL &&
	    strcmp((const char *)localname, "Signature") == 0 &&
	    strcmp((const char *)uri, DSIG_NS) == 0) {
		c->in_signature = 2;
		return 0;
	}
	return c14n_start(c->c14n, localname, prefix, uri, nb_namespaces, namespaces, nb_attributes,
	    attributes);
}

static int
on_end(void *arg, const xmlChar *localname, const xmlChar *prefix, const xmlChar *uri)
{
	struct canonical *c = arg;

	(void)localname;
	(void)prefix;
	(void)uri;
	if (!c->in_signature)
		return c14n_end(c->c14n);
	if (pull_depth(c->pull) == c->in_signature)
		c->in_signature = 0;
	return 0;
}

static int
on_text(void *arg, const xmlChar *s, int len)
{
	struct canonical *c = arg;

	return c->in_signature ? 0 : c14n_text(c->c14n, s, len);
}

static int
on_comment(void *arg, const xmlChar *s)
{
	struct canonical *c = arg;

	return c->in_signature ? 0 : c14n_comment(c->c14n, s);
}

static int
on_pi(void *arg, const xmlChar *target, const xmlChar *data)
{
	struct canonical *c = arg;

	return c->in_signature ? 0 : c14n_pi(c->c14n, target, data);
}

static const struct pull_events events = { on_start, on_end, on_text, on_comment, on_pi };

int
document_c14n(int fd, enum c14n_method method, int with_comments, int keep_signature, int out,
    struct reasons *rs)
{
	struct c14n_params params;
	struct canonical c;
	enum pull_status status;

	memset(&params, 0, sizeof(params));
	params.method = method;
	params.with_comments = with_comments;
	memset(&c, 0, sizeof(c));
	c.keep_signature = keep_signature;
	c.out = out;
	c.pull = pull_new(fd, 0, &events, &c, rs);
	c.c14n = c14n_new(&params, write_out, &c);
	status = pull_run(c.pull);
	c14n_free(c.c14n);
	pull_free(c.pull);
	return status == PULL_OK || status == PULL_REFUSED ? 0 : -1;
}
