/* SPDX-License-Identifier: ISC */
/*
 * Settings, from muhur.conf (libconfuse).  muhur.conf(5) documents each; so
 * does etc/muhur.conf with its default.  Strings are owned by the struct.
 * Relative paths are relative to the configuration file's directory.
 */
#ifndef MUHUR_BASE_CONF_H
#define MUHUR_BASE_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "base/mem.h"
#include "base/policy.h"

/* The CRLs in force, PEM, below crl_dir; replaced by a rename. */
#define CRL_FETCHED	"crls.pem"

enum signature_profile { PROFILE_XADES, PROFILE_XMLDSIG };

/* A process role; also the index of its user in conf.user[]. */
enum role {
	ROLE_MUHURD, ROLE_LISTENER, ROLE_SESSION, ROLE_VERIFY, ROLE_LOAD,
	ROLE_DIRECTORY,		/* a muhur-load that answers logins and hands out notices */
	ROLE_RECONCILE, ROLE_SIGNER, ROLE_ARCHIVE, ROLE_SEQUENCER, ROLE_COUNT
};
const char *role_name(enum role role);	/* "muhurd", "listener", ... */

struct conf_list { char **v; size_t n; };

/* What a member is (domain: who takes part); unknown until the database is asked. */
enum member_kind {
	MEMBER_UNKNOWN, MEMBER_PLATFORM, MEMBER_CUSTODIAN, MEMBER_REGULATOR, MEMBER_COMPLIANCE,
	MEMBER_REGISTRY, MEMBER_KIND_COUNT
};
const char *member_kind_name(enum member_kind kind);	/* "platform", ...; "unknown" */
enum member_kind member_kind_by_name(const char *name);	/* MEMBER_UNKNOWN for none */

/* Whom the signers of one kind of member may be certified by. */
struct conf_trust {
	int	 set;			/* there is such a section; else trust_anchors hold */
	char	*anchors;		/* PEM */
	char	**policies;		/* OIDs: of certificate policies, one must hold; none: any */
	size_t	 npolicies;
};

struct conf {
	char	*path;			/* where it was read from, NULL for a descriptor */
	struct buf text;		/* what was read there: its directory, a NUL, the text */
	/* places */
	char	*state_dir;		/* spool, boxes, store */
	char	*libexec_dir;		/* the role programs */
	char	*schema_dir;		/* holds xml/ sql/ rules/ */
	char	*secrets_dir;		/* <database role>.password, mode 0600 */
	char	*log_file;		/* muhurd without -f */
	char	*pid_file;
	/* users: name or number per role; "" means the starting user (one uid for all) */
	char	*user[ROLE_COUNT];
	int	 sandbox;		/* 1; 0 is for finding faults, and is loud */
	int64_t	 clock_offset;		/* seconds, tests only */
	int	 clock_settle;		/* seconds that it has to run after a jump: 600; 0: always believed */
	/* database */
	char	*db_host;		/* socket directory */
	int	 db_port;
	char	*db_name;
	char	*db_owner;		/* role that owns the schema; used by `muhur db' */
	/* sftp */
	char	*listen_address;
	int	 listen_port;		/* 0: any free one, written to <state_dir>/port */
	char	*host_key;		/* PEM or OpenSSH private key file, Ed25519 */
	int	 max_sessions;
	int	 max_sessions_per_address;
	int	 login_grace;		/* seconds */
	int	 idle_timeout;		/* seconds */
	int64_t	 max_document_size;	/* bytes */
	int64_t	 inbox_quota;		/* bytes of unfinished uploads a user may hold */
	int	 inbox_max_files;	/* unfinished uploads a user may hold */
	int	 sent_listing;		/* seconds a taken upload stays listed: 600 */
	/* verification */
	int	 workers;		/* documents at once, 2..; one slot is kept for small ones */
	int	 document_timeout;	/* seconds for a document, beside those for its size: 60 */
	enum signature_profile signature_profile;
	char	*trust_anchors;		/* PEM: root and sub-CAs */
	struct conf_trust trust[MEMBER_KIND_COUNT];
	char	*crl_file;		/* PEM, one or more CRLs */
	int	 require_crl;		/* 1 */
	char	*tsa_anchors;		/* PEM, of time-stamp authorities; NULL: none is trusted */
	char	*tsa_url;		/* where time-stamps are asked for (RFC 3161 3.4); NULL none */
	int	 tsa_timeout;		/* seconds for one: 30 */
	char	*crl_dir;		/* of CRL_FETCHED, what `muhur crl refresh' fetched; NULL none */
	char	**crl_urls;		/* where it fetches them */
	size_t	 ncrl_urls;
	int	 crl_distribution_points;	/* and from where certificates say; 0 */
	int	 crl_timeout;		/* seconds for one: 30 */
	int64_t	 crl_max_size;		/* bytes of one: 16 MiB */
	int	 crl_grace;		/* seconds past nextUpdate that a CRL still counts: 0 */
	int	 signing_time_past;	/* seconds a SigningTime may lie back: 172800 */
	int	 signing_time_future;	/* 300 */
	struct signature_policy *signature_policies;	/* that are taken; nsignature_policies */
	size_t	 nsignature_policies;
	/* business */
	int	 cutoff_hour, cutoff_minute;	/* of the day after D, Istanbul: 12:00 */
	struct cutoff *cutoffs;		/* of message types that have one of their own */
	size_t	 ncutoffs;
	int64_t	 own_table_records;	/* a submission of more has tables of its own: 1000000 */
	int	 reconcile_delay;	/* seconds a run waits for more input: 2 */
	/* signer */
	char	*signing_key;		/* PEM file, or a pkcs11: URI (RFC 7512): */
	int	 signing_token;		/* it is one */
	char	*signing_pin_file;	/* its first line is the token's PIN; NULL none */
	/* what muhur-signer does for such a key, and only then */
	char	*signing_module;	/* the PKCS#11 module; NULL unless signing_token */
	struct conf_list signing_module_read, signing_module_write;	/* paths that it may */
	struct conf_list signing_module_env;	/* NAME=value */
	int	 signing_module_unix;	/* it may connect to unix sockets */
	int	 signing_module_thread;	/* it may start threads */
	int	 signing_timeout;	/* seconds for the token to answer: 60 */
	char	*signing_cert;		/* PEM, the leaf first */
	/* identities */
	struct conf_list identity_check;	/* the outside check's program and its arguments; n 0: none */
	int	 identity_check_timeout;	/* seconds for up to IDENTITY_CHECK_BATCH answers: 60 */
	/* trail */
	char	*trail_key;		/* PEM, Ed25519; NULL: events wait, no log is written */
	char	*trail_origin;		/* the log's name */
	int	 trail_checkpoint_interval;	/* seconds: 10, at most 60 */
	int	 trail_stamp_alarm;	/* seconds that a checkpoint may lack its time-stamp: 3600 */
	/* the store */
	int64_t	 archive_rehash_rate;	/* bytes a second of the background pass: 4 MiB */
	int64_t	 archive_compress_after;	/* seconds; 0: when the Istanbul day of receipt is over */
	/* boxes */
	int64_t	 outbox_retention;	/* seconds: 604800 = 7 * 24 h (S2 A) */
	int	 fetch_within;		/* seconds until who has not fetched a notice is named: 86400 */
};

/* $MUHUR_CONF, else the installed file. */
const char *conf_default_path(void);
/* Errors are logged with file and line; NULL is returned. */
struct conf *conf_load(const char *path);
/* From the start of fd, which holds a conf.text; a plain file is one whose directory is /. */
struct conf *conf_load_fd(int fd);
void conf_free(struct conf *conf);

/* When the cut-off of that day's messages of that type ("BalanceReport") is; of a
 * type that has none of its own, and of NULL, the one for all. */
usec_t conf_cutoff(const struct conf *conf, const char *message_type, date_t business_date);

#endif
