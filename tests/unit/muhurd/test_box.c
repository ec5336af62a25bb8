/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhurd/helper.h"

#include <errno.h>

#include "muhurd/box.h"

static const struct box_limits wide = { 1 << 30, 100 };

static struct box *
open_box(struct world *w, int may_send)
{
	struct m_rights may = { .may_send = may_send };
	struct box *b = box_new("PLA001", "PLA", &may);

	assert_int_equal(box_folders(b, &w->tree), 0);
	return b;
}

/* Open and close; the status. */
static enum box_status
try_open(struct box *b, const struct box_limits *limits, enum box_folder folder,
    const char *day, const char *name, int flags)
{
	struct m_box_open o = { .folder = folder, .flags = flags };
	enum box_status status;
	int fd;

	(void)str_copy(o.day, sizeof(o.day), day);
	(void)str_copy(o.name, sizeof(o.name), name);
	status = box_open(b, limits, &o, &fd);
	assert_int_equal(status == BOX_OK, fd != -1);
	if (fd != -1)
		(void)close(fd);
	return status;
}

static enum box_status
upload(struct box *b, const char *name, int flags)
{
	return try_open(b, &wide, BOX_INBOX, "", name, BOX_WRITE | flags);
}

static enum box_status
take_named(struct world *w, struct box *b, const char *name, int *taken)
{
	struct m_submission m = submission("PLA001");
	struct m_box_name n = { .name = "" };

	if (str_copy(n.name, sizeof(n.name), name) == -1)
		return BOX_DENIED;
	return box_take(b, &w->tree, &n, &m, taken);
}

static void
identify(struct box *b, const char *name, struct file_id *id)
{
	struct stat st;

	assert_int_equal(fstatat(b->inbox, name, &st, 0), 0);
	file_id_of(&st, id);
}

/* What another session puts under a name, or writes into the file, is not
 * taken for the one that asks. */
static void
identity(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	struct m_submission m = submission("PLA001");
	struct m_box_name x = { .name = "x.xml" };
	struct m_box_rename r = { .from = "x.part", .to = "x.xml" };
	int taken;

	make_file(b->inbox, "x.xml", "mine");
	identify(b, "x.xml", &x.id);
	make_file(b->inbox, "y", "other's");
	assert_int_equal(renameat(b->inbox, "y", b->inbox, "x.xml"), 0);
	assert_int_equal(box_take(b, &w->tree, &x, &m, &taken), BOX_BUSY);
	make_file(b->inbox, "x.part", "mine");
	identify(b, "x.part", &r.id);
	(void)usleep(20000);		/* the clock of files is coarse */
	make_file(b->inbox, "x.part", "its");
	assert_int_equal(box_rename(b, &w->tree, &r, &m, &taken), BOX_BUSY);
	make_file(b->inbox, "x.xml", "");
	assert_int_equal(box_take(b, &w->tree, &x, &m, &taken), BOX_BUSY);
	assert_int_equal(count(w->tree.received), 0);
	identify(b, "x.part", &r.id);
	assert_int_equal(box_rename(b, &w->tree, &r, &m, &taken), BOX_OK);
	assert_true(taken);
	box_unref(b);
}

static enum box_status
remove_named(struct box *b, const char *name)
{
	struct m_box_name n = { .name = "" };

	if (str_copy(n.name, sizeof(n.name), name) == -1)
		return BOX_DENIED;
	return box_remove(b, &n);
}

static void
uploads(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	int taken;

	assert_int_equal(upload(b, "a.xml", 0), BOX_NO_SUCH_FILE);
	assert_int_equal(upload(b, "a.xml", BOX_CREAT), BOX_OK);
	assert_int_equal(upload(b, "a.xml", BOX_CREAT | BOX_EXCL), BOX_EXISTS);
	assert_int_equal(upload(b, "a.xml", 0), BOX_OK);	/* resume */
	assert_int_equal(take_named(w, b, "a.xml", &taken), BOX_OK);
	assert_false(taken);		/* empty: no submission, and it stays */
	assert_true(there(b->inbox, "a.xml"));
	make_file(b->inbox, "a.xml", "abc");
	assert_int_equal(take_named(w, b, "a.xml", &taken), BOX_OK);
	assert_true(taken);
	/* a taken name: only TRUNC, or CREAT with EXCL, begin a new upload */
	assert_int_equal(upload(b, "a.xml", 0), BOX_DENIED);
	assert_int_equal(upload(b, "a.xml", BOX_CREAT), BOX_DENIED);
	assert_int_equal(try_open(b, &wide, BOX_SENT, "", "a.xml", BOX_READ), BOX_OK);
	assert_int_equal(try_open(b, &wide, BOX_SENT, "", "a.xml", BOX_WRITE), BOX_DENIED);
	assert_int_equal(upload(b, "a.xml", BOX_CREAT | BOX_EXCL), BOX_OK);
	assert_int_equal(upload(b, "a.xml", 0), BOX_OK);	/* the inbox wins */
	assert_int_equal(remove_named(b, "a.xml"), BOX_OK);
	assert_int_equal(remove_named(b, "a.xml"), BOX_DENIED);	/* now the taken one */
	assert_int_equal(upload(b, "a.xml", BOX_TRUNC), BOX_OK);
	assert_int_equal(remove_named(b, "none"), BOX_NO_SUCH_FILE);
	assert_string_equal(content(b->sent, "a.xml"), "abc");
	box_unref(b);
}

/* Beginning anew leaves a session that holds the old one its own, nameless
 * file, and is not kept from being taken by it. */
static void
begun_anew(void **state)
{
	struct m_box_open o = { .folder = BOX_INBOX, .name = "x",
	    .flags = BOX_WRITE | BOX_CREAT | BOX_TRUNC };
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	struct m_box_name old = { .name = "x" }, new = { .name = "x" };
	struct m_submission m = submission("PLA001");
	int stale, fd, taken;
	struct stat st;

	assert_int_equal(box_open(b, &wide, &o, &stale), BOX_OK);
	assert_int_equal(write(stale, "half", 4), 4);
	identify(b, "x", &old.id);
	assert_int_equal(box_open(b, &wide, &o, &fd), BOX_OK);
	assert_int_equal(fstat(stale, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(write(fd, "whole", 5), 5);
	(void)close(fd);
	identify(b, "x", &new.id);
	assert_int_equal(box_take(b, &w->tree, &old, &m, &taken), BOX_BUSY);
	assert_int_equal(box_remove(b, &old), BOX_NO_SUCH_FILE);
	assert_int_equal(box_take(b, &w->tree, &new, &m, &taken), BOX_OK);
	assert_true(taken);
	assert_string_equal(content(b->sent, "x"), "whole");
	(void)close(stale);
	box_unref(b);
}

static void
names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "../x", "a\nb", "\xff" };
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	struct m_box_rename r = { .from = "a", .to = "b" };
	struct m_submission m = submission("PLA001");
	int taken;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(upload(b, bad[i], BOX_CREAT), BOX_OK);
		assert_int_not_equal(remove_named(b, bad[i]), BOX_OK);
		assert_int_not_equal(take_named(w, b, bad[i], &taken), BOX_OK);
		(void)str_copy(r.to, sizeof(r.to), bad[i]);
		assert_int_equal(box_rename(b, &w->tree, &r, &m, &taken), BOX_DENIED);
	}
	assert_int_equal(count(b->inbox), 0);
	box_unref(b);
}

static void
limits(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	struct box_limits two = { 1 << 30, 2 }, ten = { 10, 100 };

	make_file(b->inbox, "a", "12345");
	make_file(b->inbox, "b", "67890");
	assert_int_equal(try_open(b, &two, BOX_INBOX, "", "c", BOX_WRITE | BOX_CREAT), BOX_FULL);
	assert_int_equal(try_open(b, &two, BOX_INBOX, "", "b", BOX_WRITE), BOX_OK);
	assert_int_equal(try_open(b, &ten, BOX_INBOX, "", "c", BOX_WRITE | BOX_CREAT | BOX_TRUNC),
	    BOX_FULL);
	assert_int_equal(try_open(b, &ten, BOX_INBOX, "", "b", BOX_WRITE), BOX_FULL);
	/* beginning again frees what is there */
	assert_int_equal(try_open(b, &ten, BOX_INBOX, "", "b", BOX_WRITE | BOX_TRUNC), BOX_OK);
	assert_int_equal(try_open(b, &ten, BOX_INBOX, "", "c", BOX_WRITE | BOX_CREAT), BOX_OK);
	box_unref(b);
}

static void
other_folders(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 1);

	make_file(b->outbox, "n.xml", "notice");
	assert_int_equal(mkdirat(b->archive, "2026-11-21", 0700), 0);
	make_file(w->tree.boxes, "PLA/archive/2026-11-21/o.xml", "old");
	assert_int_equal(try_open(b, &wide, BOX_OUTBOX, "", "n.xml", BOX_READ), BOX_OK);
	assert_int_equal(try_open(b, &wide, BOX_OUTBOX, "", "n.xml", BOX_READ | BOX_WRITE), BOX_DENIED);
	assert_int_equal(try_open(b, &wide, BOX_OUTBOX, "", "m", BOX_WRITE | BOX_CREAT), BOX_DENIED);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "2026-11-21", "o.xml", BOX_READ), BOX_OK);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "2026-11-20", "o.xml", BOX_READ),
	    BOX_NO_SUCH_FILE);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "../outbox", "n.xml", BOX_READ),
	    BOX_NO_SUCH_FILE);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "", "2026-11-21", BOX_READ),
	    BOX_NO_SUCH_FILE);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "", "", BOX_READ | BOX_DIR), BOX_OK);
	assert_int_equal(try_open(b, &wide, BOX_ARCHIVE, "2026-11-21", "", BOX_READ | BOX_DIR),
	    BOX_OK);
	assert_int_equal(try_open(b, &wide, BOX_INBOX, "", "", BOX_WRITE | BOX_DIR), BOX_DENIED);
	/* a link that something planted is not followed */
	assert_int_equal(symlinkat("/etc/passwd", b->outbox, "l"), 0);
	assert_int_not_equal(try_open(b, &wide, BOX_OUTBOX, "", "l", BOX_READ), BOX_OK);
	box_unref(b);
}

/* --- what compliance and the regulator see ------------------------------------ */

static const struct m_rights sees_all = { 1, 1, 1 };

static struct box *
open_seeing(struct world *w, const struct m_rights *may)
{
	struct box *b = box_new("UYM001", "UYM", may);

	assert_int_equal(box_folders(b, &w->tree), 0);
	return b;
}

static enum box_status
look(struct box *b, enum box_folder folder, const char *member, const char *day, const char *name,
    int flags, int *fd)
{
	struct m_box_open o = { .folder = folder, .flags = flags };

	assert_int_equal(str_copy(o.member, sizeof(o.member), member), 0);
	assert_int_equal(str_copy(o.day, sizeof(o.day), day), 0);
	assert_int_equal(str_copy(o.name, sizeof(o.name), name), 0);
	return box_open(b, &wide, &o, fd);
}

/* What opening gives: the text, "/" for a folder, or the status by its number. */
static const char *
seen(struct box *b, enum box_folder folder, const char *member, const char *day, const char *name, int flags)
{
	static char text[256];
	struct stat st;
	ssize_t n;
	int fd, status;

	if ((status = look(b, folder, member, day, name, flags, &fd)) != BOX_OK) {
		assert_int_equal(fd, -1);
		(void)snprintf(text, sizeof(text), "%d", status);
		return text;
	}
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, folder == BOX_MEMBERS ? O_RDWR : O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode))
		(void)str_copy(text, sizeof(text), "/");
	else {
		n = pread(fd, text, sizeof(text) - 1, 0);
		assert_true(n >= 0);
		text[n] = '\0';
		if (folder == BOX_MEMBERS) {	/* to be read alone, and of no use as memory */
			assert_int_equal(pwrite(fd, "x", 1, 0), -1);
			assert_int_equal(errno, EPERM);
			assert_int_equal(ftruncate(fd, 1 << 20), -1);
		}
	}
	(void)close(fd);
	return text;
}

static const char *
trail_file(struct box *b, const char *path)
{
	return seen(b, BOX_TRAIL, "", "", path, BOX_READ);
}

static const char *
trail_folder(struct box *b, const char *path)
{
	return seen(b, BOX_TRAIL, "", "", path, BOX_READ | BOX_DIR);
}

#define NONE	"1"	/* BOX_NO_SUCH_FILE */
#define DENIED	"2"	/* BOX_DENIED */

static void
make_trail(struct world *w)
{
	static const char *const dirs[] = { "tile", "tile/0", "tile/0/x001", "tile/0/x001/234.p",
	    "tile/entries", "checkpoints", "checkpoints/2026-11-26" };
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		assert_int_equal(mkdirat(w->tree.trail, dirs[i], 0755), 0);
	make_file(w->tree.trail, "checkpoint", "note");
	make_file(w->tree.trail, "key", "vkey");
	make_file(w->tree.trail, "tile/0/x001/234.p/17", "partial");
	make_file(w->tree.trail, "tile/0/x001/233", "whole");
	make_file(w->tree.trail, "checkpoints/2026-11-26/1234.tsr", "stamp");
	make_file(w->tree.trail, "secret", "secret");
}

static void
trail(void **state)
{
	static const int writes[] = { BOX_WRITE, BOX_READ | BOX_WRITE, BOX_READ | BOX_CREAT,
	    BOX_READ | BOX_TRUNC, BOX_READ | BOX_EXCL, BOX_WRITE | BOX_CREAT | BOX_DIR };
	static const char *const none[] = { "secret", "..", "../boxes", "../trail/key", "./key", "/etc/passwd",
	    "tile/../key", "key/", "tile/0/x001/235", "tile/1/000", "checkpoints/2026-11-26/1234" };
	struct world *w = *state;
	struct m_rights may = sees_all;
	struct box *b = open_seeing(w, &may);
	size_t i;

	make_trail(w);
	assert_string_equal(trail_folder(b, ""), "/");
	assert_string_equal(trail_folder(b, "tile/0/x001"), "/");
	assert_string_equal(trail_file(b, "checkpoint"), "note");
	assert_string_equal(trail_file(b, "tile/0/x001/234.p/17"), "partial");
	assert_string_equal(trail_file(b, "checkpoints/2026-11-26/1234.tsr"), "stamp");
	/* a file as a folder, and the other way round */
	assert_string_equal(trail_folder(b, "key"), NONE);
	assert_string_equal(trail_file(b, "tile"), NONE);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_string_equal(trail_file(b, none[i]), NONE);
		assert_string_equal(trail_folder(b, none[i]), NONE);
	}
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		assert_string_equal(seen(b, BOX_TRAIL, "", "", "key", writes[i]), DENIED);
		assert_string_equal(seen(b, BOX_TRAIL, "", "", "tile/0/999", writes[i]), DENIED);
	}
	assert_false(there(w->tree.trail, "tile/0/999"));
	/* a partial tile that was removed because the whole one is there */
	assert_string_equal(trail_file(b, "tile/0/x001/233.p/9"), "whole");
	assert_string_equal(trail_folder(b, "tile/0/x001/233.p"), "whole");
	assert_string_equal(trail_file(b, "tile/0/x001/232.p/9"), NONE);
	/* rights count from one request to the next */
	may.sees_trail = 0;
	assert_int_equal(box_set_rights(b, &may), 1);
	assert_int_equal(box_set_rights(b, &may), 0);
	assert_string_equal(trail_folder(b, ""), NONE);
	assert_string_equal(trail_file(b, "checkpoint"), NONE);
	assert_string_equal(seen(b, BOX_TRAIL, "", "", "key", BOX_WRITE), DENIED);
	box_unref(b);
}

/* What somebody planted leads nowhere, and nothing waits for a writer. */
static void
trail_planted(void **state)
{
	struct world *w = *state;
	struct box *b = open_seeing(w, &sees_all);

	make_trail(w);
	assert_int_equal(symlinkat("../key", w->tree.trail, "tile/0/001"), 0);
	assert_int_equal(symlinkat("/", w->tree.trail, "tile/1"), 0);
	assert_int_equal(symlinkat("0", w->tree.trail, "tile/2"), 0);
	assert_int_equal(symlinkat("../../../boxes", w->tree.trail, "tile/0/x002"), 0);
	assert_int_equal(symlinkat("233", w->tree.trail, "tile/0/x001/235"), 0);
	assert_int_equal(mkfifoat(w->tree.trail, "tile/0/002", 0666), 0);
	assert_int_equal(mkdirat(w->tree.trail, "tile/0/003", 0755), 0);
	make_file(w->tree.trail, "tile/3", "a file");
	assert_string_equal(trail_file(b, "tile/0/001"), DENIED);
	assert_string_equal(trail_folder(b, "tile/1"), DENIED);
	assert_string_equal(trail_folder(b, "tile/2"), DENIED);
	assert_string_equal(trail_file(b, "tile/2/x001/233"), DENIED);
	assert_string_equal(trail_folder(b, "tile/0/x002"), DENIED);
	assert_string_equal(trail_folder(b, "tile/0/x001/235.p"), DENIED);
	assert_string_equal(trail_file(b, "tile/0/002"), DENIED);
	assert_string_equal(trail_file(b, "tile/0/002.p/1"), DENIED);
	assert_string_equal(trail_file(b, "tile/0/003"), DENIED);
	assert_string_equal(trail_folder(b, "tile/3"), DENIED);
	assert_string_equal(trail_file(b, "tile/3/000"), NONE);
	box_unref(b);
}

static void
make_archive(struct world *w, const char *member, const char *text)
{
	struct m_rights may = { 0 };
	struct box *b = box_new("PLA001", member, &may);
	int day;

	assert_int_equal(box_folders(b, &w->tree), 0);
	assert_int_not_equal(day = tree_dir(b->archive, "2026-11-21", TREE_OUTBOX), -1);
	make_file(day, "n.xml", text);
	(void)close(day);
	box_unref(b);
}

static void
others_archives(void **state)
{
	struct world *w = *state;
	struct m_rights may = sees_all;
	struct box *b = open_seeing(w, &may);
	char list[256], line[64];
	static const char *const shown[] = { "PLA", "PLB", "UYM" };
	struct stat st;
	size_t i;
	int fd;

	make_archive(w, "PLA", "of A");
	make_archive(w, "PLB", "of B");
	assert_int_equal(mkdirat(w->tree.boxes, "PLC", 0770), 0);	/* has no archive */
	assert_int_equal(mkdirat(w->tree.boxes, "lost+found", 0770), 0);
	make_file(w->tree.boxes, "PLD", "no folder");
	assert_int_equal(symlinkat("PLA", w->tree.boxes, "PLE"), 0);
	assert_int_equal(mkdirat(w->tree.boxes, "PLF", 0770), 0);
	assert_int_equal(symlinkat("../PLA/archive", w->tree.boxes, "PLF/archive"), 0);
	(void)str_copy(list, sizeof(list), seen(b, BOX_MEMBERS, "", "", "", BOX_READ | BOX_DIR));
	for (i = 0; i < 3; i++) {
		(void)snprintf(line, sizeof(line), "%s/archive", shown[i]);
		assert_int_equal(fstatat(w->tree.boxes, line, &st, 0), 0);
		(void)snprintf(line, sizeof(line), "%s %lld 0\n", shown[i], (long long)st.st_mtime);
		assert_non_null(strstr(list, line));
	}
	assert_null(strstr(list, "PLC"));
	assert_null(strstr(list, "lost"));
	assert_null(strstr(list, "PLD"));
	assert_null(strstr(list, "PLE"));
	assert_null(strstr(list, "PLF"));
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "", "", BOX_READ | BOX_DIR), "/");
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "2026-11-21", "", BOX_READ | BOX_DIR), "/");
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "2026-11-21", "n.xml", BOX_READ), "of A");
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLB", "2026-11-21", "n.xml", BOX_READ), "of B");
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLB", "2026-11-20", "n.xml", BOX_READ), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "", "2026-11-21", "n.xml", BOX_READ), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLC", "", "", BOX_READ | BOX_DIR), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLE", "", "", BOX_READ | BOX_DIR), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLF", "", "", BOX_READ | BOX_DIR), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "../PLA", "", "", BOX_READ | BOX_DIR), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "../outbox", "n.xml", BOX_READ), NONE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "2026-11-21", "n.xml", BOX_READ | BOX_WRITE), DENIED);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "2026-11-21", "m.xml", BOX_WRITE | BOX_CREAT), DENIED);
	/* no other folder of another member */
	assert_string_equal(seen(b, BOX_OUTBOX, "PLA", "", "n.xml", BOX_READ), DENIED);
	assert_string_equal(seen(b, BOX_INBOX, "PLA", "", "", BOX_READ | BOX_DIR), DENIED);
	assert_string_equal(seen(b, BOX_MEMBERS, "", "", "x", BOX_READ), DENIED);
	may.sees_archives = 0;
	assert_int_equal(box_set_rights(b, &may), 1);
	assert_string_equal(seen(b, BOX_ARCHIVE, "PLA", "2026-11-21", "n.xml", BOX_READ), NONE);
	assert_int_equal(look(b, BOX_MEMBERS, "", "", "", BOX_READ | BOX_DIR, &fd), BOX_NO_SUCH_FILE);
	assert_string_equal(seen(b, BOX_ARCHIVE, "", "", "", BOX_READ | BOX_DIR), "/");
	box_unref(b);
}

static void
renames(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 1);
	struct m_box_rename part = { .from = "a.xml.filepart", .to = "a.xml" };
	struct m_box_rename plain = { .from = "x", .to = "y" };
	struct m_box_rename still = { .from = "b.part", .to = "c.part" };
	struct m_submission m = submission("PLA001"), n = submission("PLA001");
	int taken;

	make_file(b->inbox, part.from, "abc");
	make_file(b->inbox, part.to, "older, unfinished");
	make_file(b->sent, part.to, "taken earlier");
	assert_int_equal(box_rename(b, &w->tree, &part, &m, &taken), BOX_OK);
	assert_true(taken);
	assert_string_equal(m.name, "a.xml");
	assert_string_equal(content(b->sent, "a.xml"), "abc");
	assert_int_equal(count(b->inbox), 0);
	assert_int_equal(box_rename(b, &w->tree, &part, &n, &taken), BOX_NO_SUCH_FILE);
	/* not from a partial name, or to another one: only a rename */
	make_file(b->inbox, "x", "abc");
	assert_int_equal(box_rename(b, &w->tree, &plain, &n, &taken), BOX_OK);
	assert_false(taken);
	make_file(b->inbox, "b.part", "abc");
	assert_int_equal(box_rename(b, &w->tree, &still, &n, &taken), BOX_OK);
	assert_false(taken);
	make_file(b->inbox, part.from, "");
	assert_int_equal(box_rename(b, &w->tree, &part, &n, &taken), BOX_EMPTY);
	assert_false(taken);
	assert_int_equal(count(b->inbox), 3);
	assert_int_equal(count(w->tree.received), 1);
	box_unref(b);
}

/* A suspended member may fetch, not write (S2 N3). */
static void
suspended(void **state)
{
	struct world *w = *state;
	struct box *b = open_box(w, 0);
	struct m_box_rename r = { .from = "a.part", .to = "a" };
	struct m_submission m = submission("PLA001");
	int taken;

	make_file(b->inbox, "a", "abc");
	make_file(b->inbox, "a.part", "abc");
	make_file(b->outbox, "n", "notice");
	assert_int_equal(upload(b, "b", BOX_CREAT), BOX_DENIED);
	assert_int_equal(upload(b, "a", 0), BOX_DENIED);
	assert_int_equal(take_named(w, b, "a", &taken), BOX_DENIED);
	assert_int_equal(box_rename(b, &w->tree, &r, &m, &taken), BOX_DENIED);
	assert_int_equal(remove_named(b, "a"), BOX_DENIED);
	assert_int_equal(try_open(b, &wide, BOX_OUTBOX, "", "n", BOX_READ), BOX_OK);
	box_unref(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(uploads), TEST(identity), TEST(begun_anew), TEST(names), TEST(limits), TEST(other_folders), TEST(trail), TEST(trail_planted),
		TEST(others_archives),
		TEST(renames), TEST(suspended),
	};

	log_init("test_box", LOG_COMMAND, 0);
	return cmocka_run_group_tests_name("muhurd/box", tests, NULL, NULL);
}
