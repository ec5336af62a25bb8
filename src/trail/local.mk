noinst_LIBRARIES += src/trail/libtrail.a
src_trail_libtrail_a_SOURCES = \
	src/trail/leaf.c src/trail/leaf.h \
	src/trail/merkle.c src/trail/merkle.h \
	src/trail/note.c src/trail/note.h \
	src/trail/tile_files.c \
	src/trail/tile_writer.c \
	src/trail/tiles.c src/trail/tiles.h
