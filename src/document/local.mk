noinst_LIBRARIES += src/document/libdocument.a
src_document_libdocument_a_SOURCES = \
	src/document/build.c \
	src/document/build.h \
	src/document/cades.c \
	src/document/cades.h \
	src/document/canonical.c \
	src/document/extract.c \
	src/document/extract.h \
	src/document/key.c \
	src/document/lines.c \
	src/document/lines.h \
	src/document/pass.c \
	src/document/pass.h \
	src/document/pipeline.c \
	src/document/pipeline.h \
	src/document/sign.c \
	src/document/sign.h \
	src/document/signature.c \
	src/document/signature.h \
	src/document/stamps.c \
	src/document/stamps.h \
	src/document/token.c \
	src/document/token.h \
	src/document/totals.c \
	src/document/totals.h \
	src/document/xmlout.c \
	src/document/xmlout.h
