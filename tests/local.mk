# Unit tests: one file a floor, one program a module.
include tests/unit/base.mk
include tests/unit/model.mk
include tests/unit/depot.mk
include tests/unit/sort.mk
include tests/unit/msg.mk
include tests/unit/xml.mk
include tests/unit/document.mk
include tests/unit/trail.mk
include tests/unit/pg.mk
include tests/unit/muhurd.mk
include tests/unit/sftp.mk
include tests/unit/verify.mk
include tests/unit/load.mk
include tests/unit/reconcile.mk
include tests/unit/signer.mk
include tests/unit/archive.mk
include tests/unit/sequencer.mk
include tests/unit/muhur.mk
include tests/fuzz/local.mk
include tests/bench/local.mk

# The rule "arrows only down".
dist_check_SCRIPTS += tests/arrows
check-local: check-arrows
check-arrows:
	$(AM_V_at)$(srcdir)/tests/arrows $(srcdir)
.PHONY: check-arrows

# What `make check' runs, for the script that counts.
list-tests:
	@echo $(TESTS)
.PHONY: list-tests

# The proof that rules find what is planted and nothing else, at its full size.
check-seeds: all
	cd $(abs_builddir) && srcdir=$(abs_srcdir) SEEDS=$${SEEDS:-50} CUSTOMERS=$${CUSTOMERS:-100000} \
		$(abs_srcdir)/tests/unit/reconcile/test_planted.py
.PHONY: check-seeds

# A year of a small market, day by day: an hour or so.  Of the programs in
# $MUHUR_BINDIR, or build/bin; DAYS=N takes another number of days.
check-year:
	DAYS=$${DAYS:-366} $(srcdir)/tests/system/test_year.py
.PHONY: check-year
