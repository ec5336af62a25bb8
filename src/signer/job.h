/* SPDX-License-Identifier: ISC */
/*
 * One notice: built from its fields, signed, and checked as a member would
 * check it, before anybody hears of it.
 */
#ifndef MUHUR_SIGNER_JOB_H
#define MUHUR_SIGNER_JOB_H

#include "document/pipeline.h"
#include "document/sign.h"
#include "model/notice.h"
#include "msg/proto.h"

struct signer {
	struct signing_key	*key;
	struct trust		*trust;		/* the signer's own chain */
	struct schema_set	*schemas;
	char			 issuer[DN_SIZE];	/* the notices' Issuer */
	/* Lines from which a notice is checked, by a thread, while it is written;
	 * 0, as after setup: none is. */
	long long		 check_from;
};

/* cert, key: PEM; schemas: the directory.  0, or -1 with the cause logged.  A
 * certificate that may not sign (CERT_USAGE) is refused; one that has expired,
 * or will within 30 days, is logged only. */
int	signer_setup(struct signer *s, int cert_fd, int key_fd, int schemas_fd);
/* The same with a key on a token: its URI and module; pin: a file, -1 none;
 * timeout: seconds (document/token.h).
 * The module is loaded here, and started by signing_key_ready or the first
 * notice. */
int	signer_setup_token(struct signer *s, int cert_fd, const char *uri, const char *module,
	    int pin, unsigned timeout, int schemas_fd);
void	signer_reset(struct signer *s);

/* Into out, which is empty and read-write; lines: the pipe, -1 for none.  0 with
 * *f, or -1 with the cause logged. */
int	signer_run(const struct signer *s, const struct notice *n, int out, int lines,
	    struct m_notice_file *f);

#endif
