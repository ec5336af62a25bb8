# Installed under pkgdatadir/schemas: message formats, migrations, rules.
install-data-local: install-schemas
install-schemas:
	$(AM_V_at)for part in xml sql rules; do \
		dir="$(DESTDIR)$(pkgdatadir)/schemas/$$part"; \
		$(MKDIR_P) "$$dir" || exit 1; \
		for file in $(srcdir)/schemas/$$part/*.xsd $(srcdir)/schemas/$$part/*.sql; do \
			test ! -e "$$file" || $(INSTALL_DATA) "$$file" "$$dir" || exit 1; \
		done; \
	done
uninstall-local: uninstall-schemas
uninstall-schemas:
	rm -rf "$(DESTDIR)$(pkgdatadir)/schemas"
.PHONY: install-schemas uninstall-schemas
