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
clean-local: clean-bench
clean-bench:
	rm -rf bench-inst
.PHONY: bench-install bench-reconcile clean-bench
