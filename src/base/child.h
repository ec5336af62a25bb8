/* SPDX-License-Identifier: ISC */
/*
 * What every role process finds when muhurd has exec'd it: descriptors with
 * fixed numbers, everything else closed.  argv: muhur-ROLE, [-v]; the
 * configuration comes as a descriptor so that no role needs its path.
 */
#ifndef MUHUR_BASE_CHILD_H
#define MUHUR_BASE_CHILD_H

#include "base/conf.h"

enum {
	FD_CHANNEL	= 3,	/* SOCK_SEQPACKET to muhurd */
	FD_CONF		= 4,	/* conf.text, sealed; child_init closes it */
	FD_ROLE		= 5,	/* the first of the role's own: */
	/* listener */
	FD_LISTEN	= 5,	/* the bound, listening socket */
	/* session */
	FD_HOST_KEY	= 5,
	FD_PEER		= 6,	/* the accepted TCP socket */
	/* verify, signer */
	FD_SCHEMAS	= 5,	/* schemas/xml, O_RDONLY|O_DIRECTORY */
	FD_ANCHORS	= 6,	/* verify: trust anchors PEM; signer: certificate PEM */
	FD_CRL		= 7,	/* verify: CRLs PEM; signer: the private key PEM, or the
				 * file of its token's PIN (absent where there is none) */
	/* load, directory, reconcile, sequencer */
	FD_DB_PASSWORD	= 5,
	FD_RULES	= 6,	/* reconcile: schemas/rules directory */
	FD_IDENTITY_KEY	= 6,	/* load: the key of the identities' hash */
	FD_SCRATCH	= 7,	/* load, reconcile: an empty file without a name, for what memory does not hold */
	/* sequencer: password as above, then the folders (O_RDONLY|O_DIRECTORY) and the key */
	FD_TRAIL	= 6,	/* <state_dir>/trail */
	FD_OPENINGS	= 7,	/* <state_dir>/openings */
	FD_TRAIL_KEY	= 8,	/* PEM */
	/* archive */
	FD_BOXES	= 5,
	FD_STORE	= 6,
	FD_ARCHIVE_SCHEMAS = 7,	/* schemas/xml, to be kept */
	FD_CRL_FETCHED	= 8,	/* verify: more CRLs PEM, what was fetched */
	FD_TSA		= 9,	/* verify: time-stamp authorities PEM, where some are set */
	FD_KIND_ANCHORS	= 10,	/* verify: trust anchors PEM of member kinds, from the first on */
	FD_COUNT	= FD_KIND_ANCHORS + MEMBER_KIND_COUNT - 1
};

/* First call of a role's main: log, configuration, clock; arguments checked;
 * umask 027; SIGPIPE ignored.  Ends the process where anything is missing. */
struct conf *child_init(const char *progname, int argc, char *argv[]);

#endif
