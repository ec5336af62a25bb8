# Manual pages, and what an installation is set up with.
dist_man_MANS += doc/muhur.1 doc/muhurd.8 doc/muhur.conf.5
dist_doc_DATA = doc/architecture.md doc/evidence.md doc/members.md doc/operations.md doc/refusals.md \
	doc/rules.md doc/trail.md

# A configuration that an operator has changed stays.  In the units' names of
# places the brackets keep configure from putting the values there too.
muhurconfdir = $(sysconfdir)/muhur
install-data-local: install-conf
install-conf:
	$(AM_V_at)$(MKDIR_P) "$(DESTDIR)$(muhurconfdir)" "$(DESTDIR)$(docdir)/examples"
	$(AM_V_at)$(INSTALL_DATA) $(srcdir)/etc/muhur.conf "$(DESTDIR)$(docdir)/examples/muhur.conf"
	$(AM_V_at)test -e "$(DESTDIR)$(muhurconfdir)/muhur.conf" || \
		$(INSTALL_DATA) $(srcdir)/etc/muhur.conf "$(DESTDIR)$(muhurconfdir)/muhur.conf"
	$(AM_V_at)$(INSTALL_DATA) $(srcdir)/etc/muhur.logrotate "$(DESTDIR)$(docdir)/examples/muhur.logrotate"
# The brackets hide the names from configure, which would put the values there too.
	$(AM_V_at)for unit in muhurd.service muhur-crl.service muhur-crl.timer \
			muhur-identity.service muhur-identity.timer \
			muhur-metrics.service muhur-metrics.timer \
			muhur-trail-stamp.service muhur-trail-stamp.timer; do \
		sed -e 's|@[s]bindir@|$(sbindir)|g' -e 's|@[b]indir@|$(bindir)|g' \
			-e 's|@[s]ysconfdir@|$(sysconfdir)|g' "$(srcdir)/etc/$$unit" \
			>"$(DESTDIR)$(docdir)/examples/$$unit" || exit 1; \
	done
uninstall-local: uninstall-conf
uninstall-conf:
	rm -f "$(DESTDIR)$(docdir)/examples/muhur.conf" \
		"$(DESTDIR)$(docdir)/examples/muhur.logrotate" \
		"$(DESTDIR)$(docdir)/examples/muhurd.service" \
		"$(DESTDIR)$(docdir)/examples/muhur-crl.service" \
		"$(DESTDIR)$(docdir)/examples/muhur-crl.timer" \
		"$(DESTDIR)$(docdir)/examples/muhur-identity.service" \
		"$(DESTDIR)$(docdir)/examples/muhur-identity.timer" \
		"$(DESTDIR)$(docdir)/examples/muhur-metrics.service" \
		"$(DESTDIR)$(docdir)/examples/muhur-metrics.timer" \
		"$(DESTDIR)$(docdir)/examples/muhur-trail-stamp.service" \
		"$(DESTDIR)$(docdir)/examples/muhur-trail-stamp.timer"
	@cmp -s $(srcdir)/etc/muhur.conf "$(DESTDIR)$(muhurconfdir)/muhur.conf" && \
		rm -f "$(DESTDIR)$(muhurconfdir)/muhur.conf" || :
.PHONY: install-conf uninstall-conf

# The table of reasons, in the pages that quote it.
check_PROGRAMS += doc/refusals
doc_refusals_LDADD = src/model/libmodel.a src/base/libbase.a
refusals: doc/refusals$(EXEEXT)
	$(AM_V_at)for page in refusals.md muhur.1 architecture.md; do \
		doc/refusals$(EXEEXT) <"$(srcdir)/doc/$$page" >doc/page.tmp && \
		cp doc/page.tmp "$(srcdir)/doc/$$page" || exit 1; \
	done; rm -f doc/page.tmp
.PHONY: refusals
