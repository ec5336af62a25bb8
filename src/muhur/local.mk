bin_PROGRAMS += src/muhur/muhur
# The outside check of identities from a file (muhur.conf: identity_check).
dist_pkglibexec_SCRIPTS += src/muhur/muhur-identity-file
src_muhur_muhur_SOURCES = \
	src/muhur/asic.c \
	src/muhur/asic.h \
	src/muhur/asic_manifest.c \
	src/muhur/asic_read.c \
	src/muhur/break.c \
	src/muhur/c14n.c \
	src/muhur/archive.c src/muhur/archive.h \
	src/muhur/archive_purge.c \
	src/muhur/archive_store.c \
	src/muhur/archive_verify.c \
	src/muhur/cmd.c \
	src/muhur/cmd.h \
	src/muhur/contract.c \
	src/muhur/crl.c \
	src/muhur/crl.h \
	src/muhur/crl_states.c \
	src/muhur/crl_urls.c \
	src/muhur/db.c \
	src/muhur/enrol.c \
	src/muhur/enrol.h \
	src/muhur/evidence.c \
	src/muhur/evidence.h \
	src/muhur/evidence_certificates.c \
	src/muhur/evidence_check.c \
	src/muhur/evidence_check.h \
	src/muhur/evidence_check_parts.c \
	src/muhur/evidence_check_story.c \
	src/muhur/evidence_page.c \
	src/muhur/evidence_range.c \
	src/muhur/evidence_story.c \
	src/muhur/evidence_trail.c \
	src/muhur/evidence_verify.c \
	src/muhur/fetch.c \
	src/muhur/fetch.h \
	src/muhur/identity.c \
	src/muhur/identity_check.c \
	src/muhur/identity_check.h \
	src/muhur/investor.c \
	src/muhur/main.c \
	src/muhur/member.c \
	src/muhur/metrics.c \
	src/muhur/notice.c \
	src/muhur/parameter.c \
	src/muhur/progress.c \
	src/muhur/progress.h \
	src/muhur/reconcile.c \
	src/muhur/right.c \
	src/muhur/right.h \
	src/muhur/rows.c \
	src/muhur/sample.c \
	src/muhur/sample.h \
	src/muhur/sample_breaks.c \
	src/muhur/sample_flow.c \
	src/muhur/sample_limits.c \
	src/muhur/sample_manifest.c \
	src/muhur/sample_market.c \
	src/muhur/sample_own.c \
	src/muhur/sample_people.c \
	src/muhur/sample_write.c \
	src/muhur/sign.c \
	src/muhur/sign_key.h \
	src/muhur/status.c \
	src/muhur/status.h \
	src/muhur/status_print.c \
	src/muhur/submission.c \
	src/muhur/summary.c \
	src/muhur/user.c \
	src/muhur/user_cert.c \
	src/muhur/user_cert.h \
	src/muhur/verify.c
src_muhur_muhur_LDADD = src/document/libdocument.a src/xml/libxml.a src/pg/libpg.a src/depot/libdepot.a src/model/libmodel.a src/base/libbase.a $(XMLSEC_LIBS) $(XML_LIBS) $(CRYPTO_LIBS) $(ZSTD_LIBS) $(P11KIT_LIBS) $(PQ_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS) $(CURL_LIBS)
