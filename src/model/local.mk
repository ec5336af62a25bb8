noinst_LIBRARIES += src/model/libmodel.a
src_model_libmodel_a_SOURCES = \
	src/model/crls.h \
	src/model/cutoffs.c src/model/cutoffs.h \
	src/model/decimal.c src/model/decimal.h \
	src/model/header.c src/model/header.h \
	src/model/ident.c src/model/ident.h \
	src/model/job.c src/model/job.h \
	src/model/notice.c src/model/notice.h \
	src/model/reason.c src/model/reason.h \
	src/model/record.c src/model/record.h \
	src/model/tilepath.c src/model/tilepath.h \
	src/model/timestamp.c src/model/timestamp.h
