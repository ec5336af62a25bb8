noinst_LIBRARIES += src/pg/libpg.a
src_pg_libpg_a_SOURCES = \
	src/pg/admin.c \
	src/pg/admin.h \
	src/pg/copy.c \
	src/pg/copy.h \
	src/pg/db.c \
	src/pg/db.h \
	src/pg/link.c \
	src/pg/link.h \
	src/pg/migrate.c \
	src/pg/migrate.h \
	src/pg/queue.c \
	src/pg/queue.h \
	src/pg/store.c \
	src/pg/store.h
