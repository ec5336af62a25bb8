/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "base/conf.h"
#include "base/conf_defaults.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"

#define CONF_MAX_SIZE	(1024 * 1024)

const char *
conf_default_path(void)
{
	const char *path = getenv("MUHUR_CONF");

	if (path != NULL && path[0] != '\0')
		return path;
	return MUHUR_SYSCONFDIR "/muhur/muhur.conf";
}

static void __attribute__((format(printf, 2, 0)))
report(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	log_warnx("%s:%d: %s", cfg->filename == NULL ? "configuration" : cfg->filename,
	    cfg->line, text);
}

/* --- reading one value, with its range ---------------------------------- */

struct reading {
	cfg_t		*cfg;
	const char	*name;		/* of the file, for messages */
	const char	*base_dir;
	int		 bad;
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct reading *r, const char *setting, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	log_warnx("%s: %s: %s", r->name, setting, text);
	r->bad = 1;
}

static int64_t
get_number(struct reading *r, const char *name, int64_t min, int64_t max)
{
	int64_t v = cfg_getint(r->cfg, name);

	if (v < min || v > max)
		refuse(r, name, "%lld is not between %lld and %lld", (long long)v,
		    (long long)min, (long long)max);
	return v;
}

static int
get_int(struct reading *r, const char *name, int min, int max)
{
	return (int)get_number(r, name, min, max);
}

/* A number of bytes with an optional unit K, M, G or T (powers of 1024). */
static int64_t
get_size(struct reading *r, const char *name, int64_t min, int64_t max)
{
	const char *s = cfg_getstr(r->cfg, name), *unit;
	static const char units[] = "KMGT";
	const char *u;
	char *end;
	long long v;
	int shift = 0;

	errno = 0;
	v = strtoll(s, &end, 10);
	unit = end;
	if (end != s && *unit != '\0' && (u = strchr(units, *unit)) != NULL) {
		shift = 10 * (int)(u - units + 1);
		unit++;
	}
	if (end == s || *unit != '\0' || errno != 0 || v < 0 || v > INT64_MAX >> shift) {
		refuse(r, name, "\"%s\" is no size such as 4096, 64K, 16M or 2G", s);
		return min;
	}
	v <<= shift;
	if (v < min || v > max)
		refuse(r, name, "%s is not between %lld and %lld bytes", s,
		    (long long)min, (long long)max);
	return v;
}

static char *
get_text(struct reading *r, const char *name)
{
	const char *s = cfg_getstr(r->cfg, name);

	if (s == NULL || s[0] == '\0') {
		refuse(r, name, "must not be empty");
		s = "";
	}
	return xstrdup(s);
}

static char *
absolute(const struct reading *r, const char *path)
{
	return path[0] == '/' || path[0] == '\0' ? xstrdup(path) :
	    xasprintf("%s/%s", r->base_dir, path);
}

static char *
get_path(struct reading *r, const char *name)
{
	char *s = get_text(r, name), *abs = absolute(r, s);

	free(s);
	return abs;
}

/* NULL for one that is not set. */
static char *
get_optional_path(struct reading *r, const char *name)
{
	return cfg_getstr(r->cfg, name)[0] == '\0' ? NULL : get_path(r, name);
}

static void
get_list(struct reading *r, const char *name, int paths, struct conf_list *list)
{
	const char *s;

	list->v = xcalloc(cfg_size(r->cfg, name) + 1, sizeof(*list->v));
	for (; list->n < cfg_size(r->cfg, name); list->n++) {
		s = cfg_getnstr(r->cfg, name, (unsigned)list->n);
		list->v[list->n] = paths ? absolute(r, s) : xstrdup(s);
	}
}

static void
list_free(struct conf_list *list)
{
	while (list->n > 0)
		free(list->v[--list->n]);
	free(list->v);
}

static void
get_cutoffs(struct reading *r, struct conf *conf)
{
	static const char name[] = "cutoff_types";
	unsigned i, k, n = cfg_size(r->cfg, name);
	const char *s = cfg_getstr(r->cfg, "cutoff");

	if (cutoff_parse_time(s, &conf->cutoff_hour, &conf->cutoff_minute) == -1)
		refuse(r, "cutoff", "\"%s\" is no time of day such as 12:00", s);
	conf->cutoffs = xcalloc(n > 0 ? n : 1, sizeof(*conf->cutoffs));
	conf->ncutoffs = n;
	for (i = 0; i < n; i++) {
		s = cfg_getnstr(r->cfg, name, i);
		if (cutoff_parse(s, &conf->cutoffs[i]) == -1) {
			refuse(r, name, "\"%s\" is not of the form CustodyReport=10:00", s);
			continue;
		}
		for (k = 0; k < i; k++)
			if (strcmp(conf->cutoffs[k].message_type, conf->cutoffs[i].message_type) == 0)
				refuse(r, name, "\"%s\": this type stands there twice", s);
	}
}

static void
get_profile(struct reading *r, struct conf *conf)
{
	const char *s = cfg_getstr(r->cfg, "signature_profile");

	if (strcmp(s, "xades") == 0)
		conf->signature_profile = PROFILE_XADES;
	else if (strcmp(s, "xmldsig") == 0)
		conf->signature_profile = PROFILE_XMLDSIG;
	else
		refuse(r, "signature_profile", "\"%s\" is neither xades nor xmldsig", s);
}

static void
get_policies(struct reading *r, struct conf *conf)
{
	static const char name[] = "signature_policies";
	unsigned i, n = cfg_size(r->cfg, name);

	conf->signature_policies = xcalloc(n > 0 ? n : 1, sizeof(*conf->signature_policies));
	conf->nsignature_policies = n;
	for (i = 0; i < n; i++)
		if (signature_policy_parse(cfg_getnstr(r->cfg, name, i),
		    &conf->signature_policies[i]) == -1)
			refuse(r, name, "\"%s\" is neither an OID nor OID=sha256:HEX",
			    cfg_getnstr(r->cfg, name, i));
}

/* --- the groups of settings --------------------------------------------- */

static void
read_places(struct reading *r, struct conf *conf)
{
	cfg_t *users = cfg_getsec(r->cfg, "users");
	int i;

	conf->state_dir = get_path(r, "state_dir");
	conf->libexec_dir = get_path(r, "libexec_dir");
	conf->schema_dir = get_path(r, "schema_dir");
	conf->secrets_dir = get_path(r, "secrets_dir");
	conf->log_file = get_path(r, "log_file");
	conf->pid_file = get_path(r, "pid_file");
	for (i = 0; i < ROLE_COUNT; i++)
		conf->user[i] = xstrdup(cfg_getstr(users, role_name(i)));
	conf->sandbox = cfg_getbool(r->cfg, "sandbox") == cfg_true;
	/* a hundred years either way: the date's text has four digits */
	conf->clock_offset = get_number(r, "clock_offset", INT64_C(-3155760000),
	    INT64_C(3155760000));
	conf->clock_settle = get_int(r, "clock_settle", 0, 86400);
	conf->db_host = get_path(r, "db_host");
	conf->db_port = get_int(r, "db_port", 1, 65535);
	conf->db_name = get_text(r, "db_name");
	conf->db_owner = get_text(r, "db_owner");
}

static void
read_sftp(struct reading *r, struct conf *conf)
{
	conf->listen_address = get_text(r, "listen_address");
	conf->listen_port = get_int(r, "listen_port", 0, 65535);
	conf->host_key = get_path(r, "host_key");
	conf->max_sessions = get_int(r, "max_sessions", 1, 10000);
	conf->max_sessions_per_address = get_int(r, "max_sessions_per_address", 1, 10000);
	conf->login_grace = get_int(r, "login_grace", 1, 3600);
	conf->idle_timeout = get_int(r, "idle_timeout", 1, 86400);
	conf->max_document_size = get_size(r, "max_document_size", 1, INT64_C(1) << 42);
	conf->inbox_quota = get_size(r, "inbox_quota", 1, INT64_C(1) << 50);
	conf->inbox_max_files = get_int(r, "inbox_max_files", 1, 1000000);
	conf->sent_listing = get_int(r, "sent_listing", 0, 86400);
}

/* "pkcs11:" is RFC 7512's scheme.  What else it says is p11-kit's to read, but
 * for the PIN: it belongs into a file of its own. */
static void
read_signing(struct reading *r, struct conf *conf)
{
	const char *key = cfg_getstr(r->cfg, "signing_key"), *may;
	unsigned i;

	conf->signing_cert = get_path(r, "signing_cert");
	conf->signing_token = strncmp(key, "pkcs11:", 7) == 0;
	conf->signing_key = conf->signing_token ? xstrdup(key) : get_path(r, "signing_key");
	get_list(r, "signing_module_read", 1, &conf->signing_module_read);
	get_list(r, "signing_module_write", 1, &conf->signing_module_write);
	get_list(r, "signing_module_env", 0, &conf->signing_module_env);
	for (i = 0; i < conf->signing_module_env.n; i++)
		if (strchr(conf->signing_module_env.v[i], '=') == NULL)
			refuse(r, "signing_module_env", "each has the form NAME=value");
	for (i = 0; i < cfg_size(r->cfg, "signing_module_may"); i++) {
		may = cfg_getnstr(r->cfg, "signing_module_may", i);
		if (strcmp(may, "unix") == 0)
			conf->signing_module_unix = 1;
		else if (strcmp(may, "thread") == 0)
			conf->signing_module_thread = 1;
		else
			refuse(r, "signing_module_may", "\"%s\" is neither unix nor thread", may);
	}
	if (!conf->signing_token)
		return;
	conf->signing_timeout = get_int(r, "signing_timeout", 1, 3600);
	conf->signing_module = get_path(r, "signing_module");
	if (cfg_getstr(r->cfg, "signing_pin_file")[0] != '\0')
		conf->signing_pin_file = get_path(r, "signing_pin_file");
	if (strstr(key, "pin-value") != NULL || strstr(key, "pin-source") != NULL)
		refuse(r, "signing_key", "no PIN and no pin-source in it: signing_pin_file names the file");
	if (strstr(key, "module-path") != NULL || strstr(key, "module-name") != NULL)
		refuse(r, "signing_key", "no module in it: signing_module names it");
}

static void
read_crls(struct reading *r, struct conf *conf)
{
	size_t i;

	conf->crl_file = get_path(r, "crl_file");
	conf->require_crl = cfg_getbool(r->cfg, "require_crl") == cfg_true;
	conf->crl_dir = get_optional_path(r, "crl_dir");
	conf->ncrl_urls = cfg_size(r->cfg, "crl_urls");
	conf->crl_urls = xcalloc(conf->ncrl_urls + 1, sizeof(*conf->crl_urls));
	for (i = 0; i < conf->ncrl_urls; i++)
		conf->crl_urls[i] = xstrdup(cfg_getnstr(r->cfg, "crl_urls", (unsigned)i));
	conf->crl_distribution_points = cfg_getbool(r->cfg, "crl_distribution_points") == cfg_true;
	if (conf->crl_dir == NULL && (conf->ncrl_urls > 0 || conf->crl_distribution_points))
		refuse(r, "crl_dir", "must be set where CRLs are fetched");
	conf->crl_timeout = get_int(r, "crl_timeout", 1, 3600);
	conf->crl_max_size = get_size(r, "crl_max_size", 1, CRL_MAX_SIZE);
	conf->crl_grace = get_int(r, "crl_grace", 0, 366 * 86400);
}

/* Digits and points, two numbers at least. */
static int
oid_ok(const char *s)
{
	size_t n = strspn(s, "0123456789.");

	return n >= 3 && n < 128 && s[n] == '\0' && s[0] != '.' && s[n - 1] != '.' &&
	    strchr(s, '.') != NULL && strstr(s, "..") == NULL;
}

static void
read_trust(struct reading *r, struct conf_trust *t, cfg_t *section)
{
	struct reading of = { .cfg = section, .name = r->name, .base_dir = r->base_dir };
	size_t i;

	t->set = 1;
	t->anchors = cfg_getstr(section, "anchors")[0] != '\0' ? get_path(&of, "anchors") :
	    get_path(r, "trust_anchors");
	t->npolicies = cfg_size(section, "policies");
	t->policies = xcalloc(t->npolicies + 1, sizeof(*t->policies));
	for (i = 0; i < t->npolicies; i++) {
		t->policies[i] = xstrdup(cfg_getnstr(section, "policies", (unsigned)i));
		if (!oid_ok(t->policies[i]))
			refuse(r, "policies", "\"%s\" is no object identifier such as 2.16.792.1.2", t->policies[i]);
	}
}

static void
read_trusts(struct reading *r, struct conf *conf)
{
	unsigned i, n = cfg_size(r->cfg, "trust");
	enum member_kind kind;
	cfg_t *section;

	for (i = 0; i < n; i++) {
		section = cfg_getnsec(r->cfg, "trust", i);
		kind = member_kind_by_name(cfg_title(section));
		if (kind == MEMBER_UNKNOWN)
			refuse(r, "trust", "\"%s\" is no kind of member: platform, custodian, regulator, "
			    "compliance or registry", cfg_title(section));
		else
			read_trust(r, &conf->trust[kind], section);
	}
}

/* A program and its arguments; no shell comes between. */
static void
read_identity(struct reading *r, struct conf *conf)
{
	struct conf_list *list = &conf->identity_check;
	char *program;

	conf->identity_check_timeout = get_int(r, "identity_check_timeout", 1, 3600);
	get_list(r, "identity_check", 0, list);
	if (list->n == 0)
		return;
	if (list->v[0][0] == '\0')
		refuse(r, "identity_check", "its program must not be empty");
	program = absolute(r, list->v[0]);
	free(list->v[0]);
	list->v[0] = program;
}

/* The log's name stands on a line of its own, and in front of '+' in its verifier's
 * key (C2SP signed-note). */
static void
read_trail(struct reading *r, struct conf *conf)
{
	const char *s;

	conf->trail_key = get_optional_path(r, "trail_key");
	conf->trail_origin = get_text(r, "trail_origin");
	for (s = conf->trail_origin; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s > '~' || *s == '+')
			break;
	if (*s != '\0' || strlen(conf->trail_origin) >= TRAIL_ORIGIN_SIZE)
		refuse(r, "trail_origin", "\"%s\" is no name of a log such as muhur.example.org/trail: at most %d "
		    "printable ASCII characters, no space and no +", conf->trail_origin, TRAIL_ORIGIN_SIZE - 1);
	conf->trail_checkpoint_interval = get_int(r, "trail_checkpoint_interval", 1, 60);
	conf->trail_stamp_alarm = get_int(r, "trail_stamp_alarm", 1, 366 * 86400);
}

static void
read_business(struct reading *r, struct conf *conf)
{
	conf->workers = get_int(r, "workers", 2, 256);
	conf->document_timeout = get_int(r, "document_timeout", 1, 86400);
	get_profile(r, conf);
	conf->trust_anchors = get_path(r, "trust_anchors");
	read_trusts(r, conf);
	read_crls(r, conf);
	if (cfg_getstr(r->cfg, "tsa_anchors")[0] != '\0')
		conf->tsa_anchors = get_path(r, "tsa_anchors");
	if (cfg_getstr(r->cfg, "tsa_url")[0] != '\0')
		conf->tsa_url = get_text(r, "tsa_url");
	conf->tsa_timeout = get_int(r, "tsa_timeout", 1, 3600);
	conf->signing_time_past = get_int(r, "signing_time_past", 0, INT_MAX);
	conf->signing_time_future = get_int(r, "signing_time_future", 0, INT_MAX);
	get_policies(r, conf);
	get_cutoffs(r, conf);
	conf->own_table_records = get_number(r, "own_table_records", 0, INT64_MAX);
	conf->reconcile_delay = get_int(r, "reconcile_delay", 0, 86400);
	read_signing(r, conf);
	read_identity(r, conf);
	read_trail(r, conf);
	conf->archive_rehash_rate = get_size(r, "archive_rehash_rate", 4096, INT64_C(1) << 40);
	conf->archive_compress_after = get_number(r, "archive_compress_after", 0, INT64_C(3155760000));
	conf->outbox_retention = get_number(r, "outbox_retention", 1, INT64_C(3155760000));
	conf->fetch_within = get_int(r, "fetch_within", 1, INT_MAX);
}

static int
parse(cfg_t *cfg, const char *name, char *data, size_t len)
{
	FILE *fp;
	int rc;

	if (len == 0)
		return 0;	/* every setting has a default; fmemopen refuses 0 */
	if ((fp = fmemopen(data, len, "r")) == NULL)
		fatal("%s", name);
	cfg->filename = strdup(name);	/* freed by cfg_free */
	rc = cfg_parse_fp(cfg, fp) == CFG_SUCCESS ? 0 : -1;
	(void)fclose(fp);
	return rc;
}

/* The one way in: text -> checked settings. */
static struct conf *
conf_read(const char *name, const char *base_dir, char *data, size_t len)
{
	struct reading r = { .name = name, .base_dir = base_dir };
	struct conf *conf = NULL;

	/* a NUL would end the parser's text early and hide what follows */
	if (strlen(data) != len) {
		log_warnx("%s: is no text", name);
		return NULL;
	}
	if ((r.cfg = cfg_init(conf_defaults, CFGF_NONE)) == NULL)
		fatal("configuration");
	(void)cfg_set_error_function(r.cfg, report);
	if (parse(r.cfg, name, data, len) == -1)
		goto out;
	conf = xcalloc(1, sizeof(*conf));
	read_places(&r, conf);
	read_sftp(&r, conf);
	read_business(&r, conf);
	if (r.bad) {
		conf_free(conf);
		conf = NULL;
	}
out:
	cfg_free(r.cfg);
	return conf;
}

struct conf *
conf_load(const char *path)
{
	struct conf *conf = NULL;
	char *abs = NULL, *data = NULL, *dir = NULL, *slash;
	size_t len;

	if ((abs = realpath(path, NULL)) == NULL ||
	    file_read_all(abs, CONF_MAX_SIZE, &data, &len) == -1) {
		log_warn("%s", path);
		goto out;
	}
	dir = xstrdup(abs);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	if ((conf = conf_read(path, dir, data, len)) != NULL) {
		conf->path = xstrdup(abs);
		(void)buf_append(&conf->text, dir, strlen(dir) + 1);
		(void)buf_append(&conf->text, data, len);
	}
out:
	free(dir);
	free(data);
	free(abs);
	return conf;
}

struct conf *
conf_load_fd(int fd)
{
	struct conf *conf;
	char *data, *text;
	size_t len, head = 0;

	if (fd_read_all(fd, PATH_MAX + CONF_MAX_SIZE, &data, &len) == -1) {
		log_warn("configuration");
		return NULL;
	}
	/* as conf.text */
	if (data[0] == '/' && strlen(data) < len)
		head = strlen(data) + 1;
	text = data + head;
	conf = conf_read("muhur.conf", head > 0 ? data : "", text, len - head);
	free(data);
	return conf;
}

static void
free_trust(struct conf_trust *t)
{
	size_t i;

	free(t->anchors);
	for (i = 0; i < t->npolicies; i++)
		free(t->policies[i]);
	free(t->policies);
}

void
conf_free(struct conf *conf)
{
	size_t k;
	int i;

	if (conf == NULL)
		return;
	free(conf->path);
	buf_free(&conf->text);
	free(conf->state_dir);
	free(conf->libexec_dir);
	free(conf->schema_dir);
	free(conf->secrets_dir);
	free(conf->log_file);
	free(conf->pid_file);
	for (i = 0; i < ROLE_COUNT; i++)
		free(conf->user[i]);
	free(conf->db_host);
	free(conf->db_name);
	free(conf->db_owner);
	free(conf->listen_address);
	free(conf->host_key);
	free(conf->trust_anchors);
	for (i = 0; i < MEMBER_KIND_COUNT; i++)
		free_trust(&conf->trust[i]);
	free(conf->crl_file);
	free(conf->tsa_anchors);
	free(conf->tsa_url);
	free(conf->signature_policies);
	free(conf->cutoffs);
	free(conf->crl_dir);
	for (k = 0; k < conf->ncrl_urls; k++)
		free(conf->crl_urls[k]);
	free(conf->crl_urls);
	free(conf->signing_key);
	free(conf->signing_cert);
	free(conf->signing_pin_file);
	free(conf->signing_module);
	list_free(&conf->signing_module_read);
	list_free(&conf->signing_module_write);
	list_free(&conf->signing_module_env);
	list_free(&conf->identity_check);
	free(conf->trail_key);
	free(conf->trail_origin);
	free(conf);
}
