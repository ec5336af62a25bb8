/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/conf_defaults.h"

#include "base/policy.h"

#define ETC	MUHUR_SYSCONFDIR "/muhur/"

static cfg_opt_t user_opts[] = {
	CFG_STR("muhurd", "", CFGF_NONE),
	CFG_STR("listener", "", CFGF_NONE),
	CFG_STR("session", "", CFGF_NONE),
	CFG_STR("verify", "", CFGF_NONE),
	CFG_STR("load", "", CFGF_NONE),
	CFG_STR("directory", "", CFGF_NONE),
	CFG_STR("reconcile", "", CFGF_NONE),
	CFG_STR("signer", "", CFGF_NONE),
	CFG_STR("archive", "", CFGF_NONE),
	CFG_STR("sequencer", "", CFGF_NONE),
	CFG_END()
};

/* libconfuse wants lists of text that it could change */
static char default_policies[] = "{\"" SIGNATURE_POLICY_P2 "\", \"" SIGNATURE_POLICY_P3 "\", \""
    SIGNATURE_POLICY_P4 "\"}";

static cfg_opt_t trust_opts[] = {
	CFG_STR("anchors", "", CFGF_NONE),
	CFG_STR_LIST("policies", 0, CFGF_NONE),
	CFG_END()
};

/* Sizes are strings so that they may carry a unit and pass 2^31 everywhere. */
cfg_opt_t conf_defaults[] = {
	CFG_STR("state_dir", MUHUR_STATEDIR, CFGF_NONE),
	CFG_STR("libexec_dir", MUHUR_LIBEXECDIR, CFGF_NONE),
	CFG_STR("schema_dir", MUHUR_DATADIR "/schemas", CFGF_NONE),
	CFG_STR("secrets_dir", ETC "secrets", CFGF_NONE),
	CFG_STR("log_file", "/var/log/muhur/muhurd.log", CFGF_NONE),
	CFG_STR("pid_file", "/run/muhur/muhurd.pid", CFGF_NONE),
	CFG_SEC("users", user_opts, CFGF_NONE),
	CFG_BOOL("sandbox", cfg_true, CFGF_NONE),
	CFG_INT("clock_offset", 0, CFGF_NONE),
	CFG_INT("clock_settle", 600, CFGF_NONE),
	CFG_STR("db_host", "/var/run/postgresql", CFGF_NONE),
	CFG_INT("db_port", 5432, CFGF_NONE),
	CFG_STR("db_name", "muhur", CFGF_NONE),
	CFG_STR("db_owner", "muhur_owner", CFGF_NONE),
	CFG_STR("listen_address", "127.0.0.1", CFGF_NONE),
	CFG_INT("listen_port", 2022, CFGF_NONE),
	CFG_STR("host_key", ETC "ssh_host_ed25519_key", CFGF_NONE),
	CFG_INT("max_sessions", 200, CFGF_NONE),
	CFG_INT("max_sessions_per_address", 50, CFGF_NONE),
	CFG_INT("login_grace", 60, CFGF_NONE),
	CFG_INT("idle_timeout", 600, CFGF_NONE),
	CFG_STR("max_document_size", "8G", CFGF_NONE),
	CFG_STR("inbox_quota", "16G", CFGF_NONE),
	CFG_INT("inbox_max_files", 256, CFGF_NONE),
	CFG_INT("sent_listing", 600, CFGF_NONE),
	CFG_INT("workers", 4, CFGF_NONE),
	CFG_INT("document_timeout", 60, CFGF_NONE),
	CFG_STR("signature_profile", "xades", CFGF_NONE),
	CFG_STR("trust_anchors", ETC "trust.pem", CFGF_NONE),
	CFG_SEC("trust", trust_opts, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	CFG_STR("crl_file", ETC "crl.pem", CFGF_NONE),
	CFG_BOOL("require_crl", cfg_true, CFGF_NONE),
	CFG_STR("tsa_anchors", "", CFGF_NONE),
	CFG_STR("tsa_url", "", CFGF_NONE),
	CFG_INT("tsa_timeout", 30, CFGF_NONE),
	CFG_STR("crl_dir", "", CFGF_NONE),
	CFG_STR_LIST("crl_urls", 0, CFGF_NONE),
	CFG_BOOL("crl_distribution_points", cfg_false, CFGF_NONE),
	CFG_INT("crl_timeout", 30, CFGF_NONE),
	CFG_STR("crl_max_size", "16M", CFGF_NONE),
	CFG_INT("crl_grace", 0, CFGF_NONE),
	CFG_INT("signing_time_past", 172800, CFGF_NONE),
	CFG_INT("signing_time_future", 300, CFGF_NONE),
	CFG_STR_LIST("signature_policies", default_policies, CFGF_NONE),
	CFG_STR("cutoff", "12:00", CFGF_NONE),
	CFG_STR_LIST("cutoff_types", NULL, CFGF_NONE),
	CFG_INT("own_table_records", 1000000, CFGF_NONE),
	CFG_INT("reconcile_delay", 2, CFGF_NONE),
	CFG_STR("signing_key", ETC "gateway.key", CFGF_NONE),
	CFG_STR("signing_cert", ETC "gateway.pem", CFGF_NONE),
	CFG_STR("signing_pin_file", "", CFGF_NONE),
	CFG_STR("signing_module", "", CFGF_NONE),
	CFG_INT("signing_timeout", 60, CFGF_NONE),
	CFG_STR_LIST("signing_module_read", NULL, CFGF_NONE),
	CFG_STR_LIST("signing_module_write", NULL, CFGF_NONE),
	CFG_STR_LIST("signing_module_env", NULL, CFGF_NONE),
	CFG_STR_LIST("signing_module_may", NULL, CFGF_NONE),
	CFG_STR_LIST("identity_check", NULL, CFGF_NONE),
	CFG_INT("identity_check_timeout", 60, CFGF_NONE),
	CFG_STR("trail_key", "", CFGF_NONE),
	CFG_STR("trail_origin", "muhur.invalid/trail", CFGF_NONE),
	CFG_INT("trail_checkpoint_interval", 10, CFGF_NONE),
	CFG_INT("trail_stamp_alarm", 3600, CFGF_NONE),
	CFG_STR("archive_rehash_rate", "4M", CFGF_NONE),
	CFG_INT("archive_compress_after", 0, CFGF_NONE),
	CFG_INT("outbox_retention", 604800, CFGF_NONE),
	CFG_INT("fetch_within", 86400, CFGF_NONE),
	CFG_END()
};
