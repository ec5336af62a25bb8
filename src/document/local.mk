noinst_LIBRARIES += src/document/libdocument.a
src_document_libdocument_a_SOURCES = \
	src/document/build.h \
	src/document/pipeline.h \
	src/document/sign.h
