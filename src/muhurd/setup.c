/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/mem.h"
#include "muhurd/setup.h"

#define BACKLOG		128
#define LOCK_TRIES	40	/* of 50 ms */

void
setup_init(struct gateway *gw)
{
	struct gateway_fds *f = &gw->fd;
	int i;

	f->conf = f->listen = f->host_key = f->schemas = f->rules = -1;
	f->anchors = f->crl = f->crls = f->anchors_dir = f->crl_dir = f->crls_dir = f->cert = f->key = -1;
	f->tsa = f->tsa_dir = f->identity_key = f->trail_key = -1;
	for (i = 0; i < ROLE_COUNT; i++)
		f->password[i] = f->program[i] = -1;
	for (i = 0; i < MEMBER_KIND_COUNT; i++)
		f->kind_anchors[i] = f->kind_dir[i] = -1;
	gw->tree.state = gw->tree.received = gw->tree.store = -1;
	gw->tree.tmp = gw->tree.boxes = gw->tree.trail = gw->tree.openings = -1;
}

/* --- users ------------------------------------------------------------------ */

static int
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;
	char *end;
	unsigned long n;

	if ((pw = getpwnam(name)) != NULL) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
		return 0;
	}
	errno = 0;
	n = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 ||
	    n >= (uid_t)-1) {
		log_warnx("user \"%s\": there is no such user", name);
		return -1;
	}
	*uid = (uid_t)n;
	pw = getpwuid(*uid);
	*gid = pw != NULL ? pw->pw_gid : (gid_t)n;
	return 0;
}

int
setup_users(struct gateway *gw)
{
	int i, named = 0;

	for (i = 0; i < ROLE_COUNT; i++) {
		gw->uid[i] = geteuid();
		gw->gid[i] = getegid();
		if (gw->conf->user[i] != NULL && gw->conf->user[i][0] != '\0')
			named++;
	}
	if (geteuid() != 0) {
		log_info("started as uid %ld: all processes run under it",
		    (long)geteuid());
		return 0;
	}
	if (named == 0) {
		log_warnx("started as root and no users are set: all processes run as root");
		return 0;
	}
	for (i = 0; i < ROLE_COUNT; i++) {
		if (gw->conf->user[i] == NULL || gw->conf->user[i][0] == '\0') {
			log_warnx("no user is set for %s: set one for each role, or for none",
			    role_name((enum role)i));
			return -1;
		}
		if (find_user(gw->conf->user[i], &gw->uid[i], &gw->gid[i]) == -1)
			return -1;
		if (gw->uid[i] == 0) {
			log_warnx("user of %s: root is not for processes that have a user",
			    role_name((enum role)i));
			return -1;
		}
	}
	gw->own_uids = 1;
	return 0;
}

/* --- files ------------------------------------------------------------------- */

static int
open_file(const char *what, const char *path, int flags, int *fd)
{
	if (path == NULL || path[0] == '\0') {
		log_warnx("%s is not set", what);
		return -1;
	}
	if ((*fd = open(path, flags | O_CLOEXEC | O_NOCTTY)) == -1) {
		log_warn("%s: %s", what, path);
		return -1;
	}
	return 0;
}

static int
open_in(const char *what, const char *dir, const char *name, int flags, int *fd)
{
	char *path = xasprintf("%s/%s", dir == NULL ? "" : dir, name);
	int rc = open_file(what, path, flags, fd);

	free(path);
	return rc;
}

static int
open_folder_of(const char *what, const char *path, int *fd)
{
	char *copy = xstrdup(path);
	int rc = open_file(what, dirname(copy), O_RDONLY | O_DIRECTORY, fd);

	free(copy);
	return rc;
}

static int
open_programs(struct gateway *gw)
{
	static const struct { enum role role; const char *name; } programs[] = {
		{ ROLE_LISTENER, "muhur-sftp" }, { ROLE_SESSION, "muhur-sftp" },
		{ ROLE_VERIFY, "muhur-verify" }, { ROLE_LOAD, "muhur-load" },
		{ ROLE_DIRECTORY, "muhur-load" }, { ROLE_RECONCILE, "muhur-reconcile" },
		{ ROLE_SIGNER, "muhur-signer" }, { ROLE_ARCHIVE, "muhur-archive" },
		{ ROLE_SEQUENCER, "muhur-sequencer" },
	};
	size_t i;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (open_in("program", gw->conf->libexec_dir, programs[i].name, O_PATH,
		    &gw->fd.program[programs[i].role]) == -1)
			return -1;
	return 0;
}

static int
open_passwords(struct gateway *gw)
{
	const char *dir = gw->conf->secrets_dir;
	int *fds = gw->fd.password;

	if (open_in("password", dir, "muhur_load.password", O_RDONLY, &fds[ROLE_LOAD]) == -1 ||
	    open_in("password", dir, "muhur_directory.password", O_RDONLY,
	    &fds[ROLE_DIRECTORY]) == -1 ||
	    open_in("password", dir, "muhur_reconcile.password", O_RDONLY,
	    &fds[ROLE_RECONCILE]) == -1 ||
	    open_in("identity key", dir, "identity.key", O_RDONLY, &gw->fd.identity_key) == -1) {
		log_warnx("passwords of the database roles and the identity key are made by \"muhur db init\"");
		return -1;
	}
	return 0;
}

/* The sequencer's, which is started only where there is a key. */
static int
open_trail(struct gateway *gw)
{
	if (gw->conf->trail_key == NULL) {
		log_alarm("trail_key is not set: events wait, and no signed trail is kept of them");
		return 0;
	}
	if (open_file("trail_key", gw->conf->trail_key, O_RDONLY, &gw->fd.trail_key) == -1)
		return -1;
	if (open_in("password", gw->conf->secrets_dir, "muhur_sequencer.password", O_RDONLY,
	    &gw->fd.password[ROLE_SEQUENCER]) == 0)
		return 0;
	log_warnx("the password of the sequencer's database role is made by \"muhur db migrate\"");
	return -1;
}

static int
open_kind_anchors(struct gateway *gw)
{
	const struct conf_trust *t;
	int k;

	for (k = 0; k < MEMBER_KIND_COUNT; k++) {
		t = &gw->conf->trust[k];
		if (t->set && (open_file("trust: anchors", t->anchors, O_RDONLY, &gw->fd.kind_anchors[k]) == -1 ||
		    open_folder_of("trust: anchors", t->anchors, &gw->fd.kind_dir[k]) == -1))
			return -1;
	}
	return 0;
}

/* Without CRLs only where the configuration says that none are needed.  What
 * was fetched is enough, and is not there before it was fetched. */
static int
open_crls(struct gateway *gw)
{
	const struct conf *c = gw->conf;
	struct gateway_fds *f = &gw->fd;

	if (c->crl_dir != NULL) {
		if (open_file("crl_dir", c->crl_dir, O_RDONLY | O_DIRECTORY, &f->crls_dir) == -1)
			return -1;
		f->crls = openat(f->crls_dir, CRL_FETCHED, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (f->crls == -1 && errno != ENOENT) {
			log_warn("crl_dir: %s/%s", c->crl_dir, CRL_FETCHED);
			return -1;
		}
	}
	if (f->crls != -1 && access(c->crl_file, F_OK) == -1 && errno == ENOENT)
		return 0;
	if (open_file("crl_file", c->crl_file, O_RDONLY, &f->crl) == -1) {
		if (c->crl_dir != NULL)
			log_warnx("crl_dir: %s holds no %s either: \"muhur crl refresh\" makes it",
			    c->crl_dir, CRL_FETCHED);
		return -1;
	}
	return open_folder_of("crl_file", c->crl_file, &f->crl_dir);
}

/* What is not there now cannot be allowed later, and may not be needed. */
static void
open_token_path(struct gateway_fds *f, const char *what, const char *path)
{
	if ((f->token[f->ntoken] = open(path, O_PATH | O_CLOEXEC)) == -1)
		log_warn("%s: %s", what, path);
	f->ntoken++;
}

/* The key's file, or for one on a token the PIN's, and what its module needs:
 * opened while root can, since these places are closed to all but the signer. */
static int
open_key(struct gateway *gw)
{
	const struct conf *c = gw->conf;
	struct gateway_fds *f = &gw->fd;
	size_t i;

	if (!c->signing_token)
		return open_file("signing_key", c->signing_key, O_RDONLY, &f->key);
	f->key = -1;
	f->token = xcalloc(c->signing_module_read.n + c->signing_module_write.n + 1, sizeof(int));
	open_token_path(f, "signing_module", c->signing_module);
	for (i = 0; i < c->signing_module_read.n; i++)
		open_token_path(f, "signing_module_read", c->signing_module_read.v[i]);
	f->ntoken_read = f->ntoken;
	for (i = 0; i < c->signing_module_write.n; i++)
		open_token_path(f, "signing_module_write", c->signing_module_write.v[i]);
	return c->signing_pin_file == NULL ? 0 :
	    open_file("signing_pin_file", c->signing_pin_file, O_RDONLY, &f->key);
}

int
setup_files(struct gateway *gw)
{
	const struct conf *c = gw->conf;
	struct gateway_fds *f = &gw->fd;

	/* the file may be edited, for the next start */
	if ((f->conf = fd_sealed("muhur.conf", c->text.data, c->text.len)) == -1) {
		log_warn("configuration");
		return -1;
	}
	if (open_file("host_key", c->host_key, O_RDONLY, &f->host_key) == -1 ||
	    open_file("trust_anchors", c->trust_anchors, O_RDONLY, &f->anchors) == -1 ||
	    open_folder_of("trust_anchors", c->trust_anchors, &f->anchors_dir) == -1 ||
	    open_file("signing_cert", c->signing_cert, O_RDONLY, &f->cert) == -1 ||
	    open_key(gw) == -1 ||
	    open_in("schema_dir", c->schema_dir, "xml", O_RDONLY | O_DIRECTORY,
	    &f->schemas) == -1 ||
	    open_in("schema_dir", c->schema_dir, "rules", O_RDONLY | O_DIRECTORY,
	    &f->rules) == -1)
		return -1;
	if (c->tsa_anchors != NULL &&
	    (open_file("tsa_anchors", c->tsa_anchors, O_RDONLY, &f->tsa) == -1 ||
	    open_folder_of("tsa_anchors", c->tsa_anchors, &f->tsa_dir) == -1))
		return -1;
	return open_kind_anchors(gw) == -1 || open_crls(gw) == -1 || open_programs(gw) == -1 ||
	    open_passwords(gw) == -1 || open_trail(gw) == -1 ? -1 : 0;
}

static int
reopen(const char *what, const char *path, int dirfd, int *fd)
{
	char *copy = xstrdup(path);
	int new;

	if ((new = openat(dirfd, basename(copy), O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		log_alarm("%s: %s: %s: the old one stays in use", what, path, strerror(errno));
	else {
		if (*fd != -1)
			(void)close(*fd);
		*fd = new;
	}
	free(copy);
	return new != -1;
}

int
setup_reopen_trust(struct gateway *gw)
{
	struct gateway_fds *f = &gw->fd;
	int n, k;

	n = reopen("trust_anchors", gw->conf->trust_anchors, f->anchors_dir, &f->anchors);
	for (k = 0; k < MEMBER_KIND_COUNT; k++)
		if (f->kind_anchors[k] != -1)
			n += reopen("trust: anchors", gw->conf->trust[k].anchors, f->kind_dir[k], &f->kind_anchors[k]);
	if (f->crl != -1)
		n += reopen("crl_file", gw->conf->crl_file, f->crl_dir, &f->crl);
	if (f->tsa != -1)
		n += reopen("tsa_anchors", gw->conf->tsa_anchors, f->tsa_dir, &f->tsa);
	if (f->crls != -1)
		n += reopen("crl_dir", CRL_FETCHED, f->crls_dir, &f->crls);
	return n > 0;
}

/* The old file is held open, so that no new one can have its inode. */
int
setup_crls_changed(struct gateway *gw)
{
	struct gateway_fds *f = &gw->fd;
	struct stat now, then;

	if (f->crls_dir == -1 || fstatat(f->crls_dir, CRL_FETCHED, &now, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (f->crls != -1 && fstat(f->crls, &then) == 0 && same_file(&now, &then))
		return 0;
	return reopen("crl_dir", CRL_FETCHED, f->crls_dir, &f->crls);
}

/* --- state ---------------------------------------------------------------------- */

/* One muhurd a state directory; a former one may be about to end. */
static int
lock_state(int fd)
{
	static const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int tries;

	for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; tries++) {
		if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int
setup_state(struct gateway *gw)
{
	const char *path = gw->conf->state_dir;
	struct stat st;

	if (mkdir(path, 0755) == -1 && errno != EEXIST) {
		log_warn("state_dir: %s", path);
		return -1;
	}
	if (open_file("state_dir", path, O_RDONLY | O_DIRECTORY, &gw->tree.state) == -1)
		return -1;
	if (fstat(gw->tree.state, &st) == -1 ||
	    (gw->own_uids && (st.st_uid != gw->uid[ROLE_MUHURD] ||
	    st.st_gid != gw->gid[ROLE_MUHURD]) &&
	    fchown(gw->tree.state, gw->uid[ROLE_MUHURD], gw->gid[ROLE_MUHURD]) == -1)) {
		log_warn("state_dir: %s", path);
		return -1;
	}
	if (lock_state(gw->tree.state) == -1) {
		if (errno == EWOULDBLOCK)
			log_warnx("state_dir: %s: another muhurd works there", path);
		else
			log_warn("state_dir: %s", path);
		return -1;
	}
	return 0;
}

int
setup_listen(struct gateway *gw)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const char *address = gw->conf->listen_address;
	struct sockaddr_storage ss;
	struct sockaddr *sa = NULL;
	socklen_t len = 0, sslen = sizeof(ss);
	int fd = -1, on = 1;

	in.sin_port = in6.sin6_port = htons((uint16_t)gw->conf->listen_port);
	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		sa = (struct sockaddr *)&in;
		len = sizeof(in);
	} else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
		sa = (struct sockaddr *)&in6;
		len = sizeof(in6);
	} else {
		log_warnx("listen_address: \"%s\" is no IP address", address);
		return -1;
	}
	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, sa, len) == -1 || listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &sslen) == -1) {
		log_warn("listening on %s port %d", address, gw->conf->listen_port);
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	gw->port = ntohs(ss.ss_family == AF_INET ?
	    ((struct sockaddr_in *)&ss)->sin_port : ((struct sockaddr_in6 *)&ss)->sin6_port);
	gw->fd.listen = fd;
	return 0;
}
