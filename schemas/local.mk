# Installed under pkgdatadir/schemas.
