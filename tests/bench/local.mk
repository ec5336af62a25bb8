# Benches: they build what they need, alternate with what they are measured
# against, print one table and, with BENCH_JSON=FILE, the same as JSON.
# BENCH_SCALE=small stays under a minute.
BENCH_BINDIR = bench-inst/bin
bench-install: all
	$(AM_V_at)rm -rf "$(abs_builddir)/bench-inst"
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) -s install DESTDIR= prefix="$(abs_builddir)/bench-inst" \
		exec_prefix="$(abs_builddir)/bench-inst" sbindir="$(abs_builddir)/$(BENCH_BINDIR)" >/dev/null
bench-reconcile: bench-install
	MUHUR_BINDIR="$(abs_builddir)/$(BENCH_BINDIR)" $(srcdir)/tests/bench/reconcile.py
EXTRA_PROGRAMS += tests/bench/trail_alone
tests_bench_trail_alone_SOURCES = tests/bench/trail_alone.c
tests_bench_trail_alone_LDADD = src/trail/libtrail.a src/model/libmodel.a src/base/libbase.a $(CRYPTO_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) $(SECCOMP_LIBS)
bench-trail: bench-install tests/bench/trail_alone
	MUHUR_BINDIR="$(abs_builddir)/$(BENCH_BINDIR)" TRAIL_ALONE="$(abs_builddir)/tests/bench/trail_alone" \
		$(srcdir)/tests/bench/trail.py
clean-local: clean-bench
clean-bench:
	rm -rf bench-inst tests/bench/trail_alone
.PHONY: bench-install bench-reconcile bench-trail clean-bench
