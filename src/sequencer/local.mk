pkglibexec_PROGRAMS += src/sequencer/muhur-sequencer
SEQUENCER_SOURCES = \
	src/sequencer/events.c src/sequencer/events.h \
	src/sequencer/published.c src/sequencer/published.h \
	src/sequencer/sequencer.c src/sequencer/sequencer.h \
	src/sequencer/stamps.c src/sequencer/stamps.h \
	src/sequencer/trouble.c src/sequencer/trouble.h
src_sequencer_muhur_sequencer_SOURCES = \
	src/sequencer/main.c \
	$(SEQUENCER_SOURCES)
src_sequencer_muhur_sequencer_LDADD = src/pg/libpg.a src/trail/libtrail.a src/msg/libmsg.a src/model/libmodel.a src/base/libbase.a $(PQ_LIBS) $(CRYPTO_LIBS) $(JANSSON_LIBS) $(SECCOMP_LIBS) $(CONFUSE_LIBS)
