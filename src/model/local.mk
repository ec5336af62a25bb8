noinst_LIBRARIES += src/model/libmodel.a
src_model_libmodel_a_SOURCES = \
	src/model/decimal.h \
	src/model/header.h \
	src/model/ident.h \
	src/model/job.h \
	src/model/notice.h \
	src/model/reason.h \
	src/model/record.h
