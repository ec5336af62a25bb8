/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhurd/helper.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "muhurd/sweep.h"

#define SHA	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct dirs { int inbox, sent; };
static const struct file_id any;

static struct dirs
make_dirs(struct world *w)
{
	static const char *const inbox[] = { "PLA", "users", "PLA001", "inbox" };
	static const char *const sent[] = { "PLA", "users", "PLA001", "sent" };
	struct dirs d;

	d.inbox = tree_path(w->tree.boxes, inbox, 4, 0700, 0711);
	d.sent = tree_path(w->tree.boxes, sent, 4, 0700, 0711);
	assert_true(d.inbox != -1 && d.sent != -1);
	return d;
}

static void
close_dirs(struct dirs *d)
{
	(void)close(d->inbox);
	(void)close(d->sent);
}

static void
path_of(const struct m_submission *m, char path[400])
{
	(void)snprintf(path, 400, "%s.%s/%s", m->id, m->user, m->name);
}

static struct m_submission
take_one(struct world *w, struct dirs *d, const char *name, const char *text)
{
	struct m_submission m = submission("PLA001");

	(void)str_copy(m.name, sizeof(m.name), name);
	make_file(d->inbox, name, text);
	assert_int_equal(spool_take(&w->tree, d->inbox, d->sent, name, &any, &m), BOX_OK);
	return m;
}

static void
take(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = take_one(w, &d, "a.xml", "abc");
	struct stat a, b;
	char path[400];
	int fd;

	path_of(&m, path);
	assert_int_equal(m.size, 3);
	assert_false(there(d.inbox, "a.xml"));
	assert_string_equal(content(w->tree.received, path), "abc");
	assert_int_equal(fstatat(w->tree.received, path, &a, 0), 0);
	assert_int_equal(fstatat(d.sent, "a.xml", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_mode & 07777, 0440);
	assert_int_not_equal(fd = spool_open(&w->tree, &m), -1);
	(void)close(fd);
	close_dirs(&d);
}

/* No writer, and no mapping that can write, may be left. */
static void
busy(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = submission("PLA001");
	void *map;
	int fd;

	(void)str_copy(m.name, sizeof(m.name), "a.xml");
	make_file(d.inbox, "a.xml", "abc");
	fd = openat(d.inbox, "a.xml", O_RDWR | O_CLOEXEC);
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml", &any, &m), BOX_BUSY);
	map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	(void)close(fd);
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml", &any, &m), BOX_BUSY);
	assert_true(there(d.inbox, "a.xml"));
	assert_int_equal(count(w->tree.received), 0);
	assert_int_equal(munmap(map, 3), 0);
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml", &any, &m), BOX_OK);
	close_dirs(&d);
}

static void
not_taken(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = submission("PLA001");
	int fd;

	(void)str_copy(m.name, sizeof(m.name), "x");
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "none", &any, &m), BOX_NO_SUCH_FILE);
	make_file(d.inbox, "empty", "");
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "empty", &any, &m), BOX_DENIED);
	assert_int_equal(symlinkat("/etc/passwd", d.inbox, "link"), 0);
	assert_int_not_equal(spool_take(&w->tree, d.inbox, d.sent, "link", &any, &m), BOX_OK);
	/* a gap: 1 MiB never written, then one byte */
	fd = openat(d.inbox, "gap", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "x", 1, 1 << 20), 1);
	assert_int_equal(fsync(fd), 0);
	(void)close(fd);
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "gap", &any, &m), BOX_DENIED);
	assert_true(there(d.inbox, "gap"));
	assert_int_equal(count(w->tree.received), 0);
	close_dirs(&d);
}

static int fsyncs_left = -1;
static const struct tree *scan_while_taking;
static int scans;

/* In libc's place: fails once, as the kernel does, when told to. */
int
fsync(int fd)
{
	if (fsyncs_left >= 0 && fsyncs_left-- == 0) {
		errno = EIO;
		return -1;
	}
	if (scan_while_taking != NULL) {
		struct m_submission *list;
		size_t n;
		int more;

		assert_int_equal(spool_scan(scan_while_taking, 10, 0, &list, &n, &more), 0);
		assert_int_equal(n, 0);
		free(list);
		scans++;
	}
	return (int)syscall(SYS_fsync, fd);
}

enum call { NO_CALL, MKDIR, RENAME, CHMOD };
static enum call full;

static int
no_space(void)
{
	full = NO_CALL;
	errno = ENOSPC;
	return -1;
}

/* These, too, fail once when told to. */
int
mkdirat(int fd, const char *path, mode_t mode)
{
	return full == MKDIR ? no_space() : (int)syscall(SYS_mkdirat, fd, path, mode);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return full == RENAME ? no_space() :
	    (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int
fchmod(int fd, mode_t mode)
{
	return full == CHMOD ? no_space() : (int)syscall(SYS_fchmod, fd, mode);
}

/* It stays in the inbox, and can be gone on with and taken when there is space. */
static void
disk_full(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = submission("PLA001");
	struct stat st;
	enum call c;

	(void)str_copy(m.name, sizeof(m.name), "a.xml");
	make_file(d.inbox, "a.xml.part", "abc");
	for (c = MKDIR; c <= CHMOD; c++) {
		full = c;
		assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml.part", &any, &m),
		    BOX_NO_SPACE);
		assert_int_equal(full, NO_CALL);
		assert_string_equal(content(d.inbox, "a.xml.part"), "abc");
		assert_int_equal(fstatat(d.inbox, "a.xml.part", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(count(d.inbox), 1);
		assert_int_equal(count(d.sent) + count(w->tree.received), 0);
	}
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml.part", &any, &m), BOX_OK);
	close_dirs(&d);
}

/* What a failed fsync leaves unknown is neither taken nor resumable. */
static void
lost(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = submission("PLA001");
	int i;

	(void)str_copy(m.name, sizeof(m.name), "a.xml");
	for (i = 0; i < 4; i++) {	/* the file, its folder, received, the inbox */
		make_file(d.inbox, "a.xml", "abc");
		fsyncs_left = i;
		assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml", &any, &m),
		    BOX_LOST);
		fsyncs_left = -1;
		assert_int_equal(count(d.inbox) + count(d.sent) + count(w->tree.received), 0);
	}
	make_file(d.inbox, "a.xml", "abc");
	assert_int_equal(spool_take(&w->tree, d.inbox, d.sent, "a.xml", &any, &m), BOX_OK);
	close_dirs(&d);
}

/* What is not durable yet is not found. */
static void
scan_passes_over(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m, *list;
	size_t n;
	int more;

	scan_while_taking = &w->tree;
	m = take_one(w, &d, "a.xml", "abc");
	scan_while_taking = NULL;
	assert_int_equal(scans, 4);
	assert_int_equal(spool_scan(&w->tree, 10, 0, &list, &n, &more), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].id, m.id);
	free(list);
	close_dirs(&d);
}

/* Concluding what is nowhere: whether the log said so. */
static int
alarmed(struct world *w, const struct m_submission *m, const char *sha256)
{
	FILE *f = tmpfile();
	char line[512] = "";
	int err = dup(STDERR_FILENO);

	assert_true(f != NULL && err != -1);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(spool_conclude(&w->tree, m, sha256), 0);
	assert_int_equal(dup2(err, STDERR_FILENO), STDERR_FILENO);
	(void)close(err);
	rewind(f);
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	return strstr(line, "neither in the spool nor in the store") != NULL;
}

static void
conclude_nothing(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = take_one(w, &d, "a.xml", "abc");
	struct m_submission h = take_one(w, &d, "b.xml", "never judged");
	struct m_submission none = submission("PLA001");

	assert_false(alarmed(w, &m, SHA));
	assert_false(alarmed(w, &m, SHA));
	assert_false(alarmed(w, &h, ""));
	assert_false(alarmed(w, &h, ""));
	assert_false(alarmed(w, &none, SHA));	/* a repeat's bytes are there */
	assert_true(alarmed(w, &none, ""));
	assert_int_equal(unlinkat(w->tree.store, "ba/" SHA, 0), 0);
	assert_true(alarmed(w, &m, SHA));
	close_dirs(&d);
}

/* Into the store once, gone from the spool; repeated, nothing more happens. */
static void
conclude(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = take_one(w, &d, "a.xml", "abc");
	struct m_submission n = take_one(w, &d, "a.xml", "abc");
	struct m_submission h = take_one(w, &d, "b.xml", "never judged");
	char held[60];

	assert_int_equal(spool_conclude(&w->tree, &m, SHA), 0);
	assert_string_equal(content(w->tree.store, "ba/" SHA), "abc");
	assert_int_equal(spool_conclude(&w->tree, &m, SHA), 0);
	assert_int_equal(spool_conclude(&w->tree, &n, SHA), 0);	/* the same bytes */
	assert_int_equal(count(w->tree.received), 1);
	assert_int_equal(spool_conclude(&w->tree, &h, ""), 0);
	(void)snprintf(held, sizeof(held), "held/%s", h.id);
	assert_string_equal(content(w->tree.store, held), "never judged");
	/* a digest that is not its own takes no other document's place */
	h = take_one(w, &d, "c.xml", "xyz");
	assert_int_equal(spool_conclude(&w->tree, &h, SHA), 0);
	(void)snprintf(held, sizeof(held), "held/%s", h.id);
	assert_string_equal(content(w->tree.store, held), "xyz");
	assert_string_equal(content(w->tree.store, "ba/" SHA), "abc");
	assert_int_equal(count(w->tree.received), 0);
	close_dirs(&d);
}

/* After a crash at any step: linked but not removed; removed but for the
 * folder; a folder that was never filled. */
static void
scan_repairs(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission first = take_one(w, &d, "a.xml", "abc");
	struct m_submission second = take_one(w, &d, "b.xml", "defg");
	struct m_submission empty = submission("PLA001"), *list;
	char path[400], name[80];
	size_t n;
	int more;

	path_of(&first, path);
	assert_int_equal(mkdirat(w->tree.store, "ba", 0770), 0);
	assert_int_equal(linkat(w->tree.received, path, w->tree.store, "ba/" SHA, 0), 0);
	path_of(&second, path);
	assert_int_equal(fchmodat(w->tree.received, path, 0600, 0), 0);
	(void)snprintf(name, sizeof(name), "%s.%s", empty.id, empty.user);
	assert_int_equal(mkdirat(w->tree.received, name, 0700), 0);
	assert_int_equal(mkdirat(w->tree.received, "strange", 0700), 0);

	assert_int_equal(spool_scan(&w->tree, 100, 1, &list, &n, &more), 0);
	assert_int_equal(n, 2);
	assert_int_equal(more, 0);
	assert_string_equal(list[0].id, first.id);
	assert_string_equal(list[0].user, "PLA001");
	assert_string_equal(list[0].name, "a.xml");
	assert_int_equal(list[0].received_at, first.received_at);
	assert_string_equal(list[1].id, second.id);
	assert_int_equal(list[1].size, 4);
	assert_false(there(w->tree.received, name));
	assert_true(there(w->tree.received, "strange"));
	assert_int_equal(spool_conclude(&w->tree, &list[0], SHA), 0);
	free(list);

	assert_int_equal(spool_scan(&w->tree, 0, 0, &list, &n, &more), 0);
	assert_int_equal(n, 0);
	assert_int_equal(more, 1);
	free(list);
	close_dirs(&d);
}

static void
id_time(void **state)
{
	char id[UUID_SIZE];
	usec_t t = INT64_C(1795291244123456);

	(void)state;
	/* RFC 9562, A.6: 0x017F22E279B0 ms is 2022-02-22T19:22:22Z */
	assert_true(spool_id_time("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") ==
	    INT64_C(1645557742000) * 1000);
	uuid_v7(t, id);
	assert_true(spool_id_time(id) == t / 1000 * 1000);
}

static void
notice(void **state)
{
	struct world *w = *state;
	struct m_submission m = submission("PLA001");	/* for its id */
	struct m_notice_publish p;
	int out;

	memset(&p, 0, sizeof(p));
	(void)str_copy(p.id, sizeof(p.id), m.id);
	(void)str_copy(p.recipient, sizeof(p.recipient), "PLA");
	(void)str_copy(p.file_name, sizeof(p.file_name), "x.received.xml");
	(void)str_copy(p.sha256, sizeof(p.sha256), SHA);
	(void)str_copy(p.day, sizeof(p.day), "2026-11-21");
	assert_int_equal(spool_publish(&w->tree, &p), -1);	/* not stored */
	out = spool_tmp_file(&w->tree, m.id);
	assert_int_equal(write(out, "abc", 3), 3);
	assert_int_equal(spool_store_notice(&w->tree, m.id, out, SHA, 4), -1);
	assert_int_equal(errno, EBADMSG);
	/* somebody else's file of that name is not stored */
	assert_int_equal(renameat(w->tree.tmp, m.id, w->tree.tmp, "ours"), 0);
	make_file(w->tree.tmp, m.id, "xyz");
	assert_int_equal(spool_store_notice(&w->tree, m.id, out, SHA, 3), -1);
	assert_int_equal(errno, ESTALE);
	assert_false(there(w->tree.store, "ba/" SHA));
	assert_int_equal(renameat(w->tree.tmp, "ours", w->tree.tmp, m.id), 0);
	assert_int_equal(spool_store_notice(&w->tree, m.id, out, SHA, 3), 0);
	assert_int_equal(count(w->tree.tmp), 0);
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_string_equal(content(w->tree.boxes, "PLA/outbox/x.received.xml"), "abc");
	/* another document of that name gives way */
	assert_int_equal(unlinkat(w->tree.boxes, "PLA/outbox/x.received.xml", 0), 0);
	make_file(w->tree.boxes, "PLA/outbox/x.received.xml", "another");
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_string_equal(content(w->tree.boxes, "PLA/outbox/x.received.xml"), "abc");
	assert_int_equal(spool_archive_day(&w->tree, &p), 0);
	assert_true(there(w->tree.boxes, "PLA/archive/2026-11-21"));
	/* a lost archive: its link again, and none in the outbox */
	assert_int_equal(unlinkat(w->tree.boxes, "PLA/outbox/x.received.xml", 0), 0);
	p.archived = 1;
	(void)str_copy(p.day, sizeof(p.day), "2026-11-22");
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_string_equal(content(w->tree.boxes, "PLA/archive/2026-11-22/x.received.xml"), "abc");
	assert_false(there(w->tree.boxes, "PLA/outbox/x.received.xml"));
	/* shown again after its days: in one of the two; a stranger's file there stays */
	p.archived = 0;
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_string_equal(content(w->tree.boxes, "PLA/outbox/x.received.xml"), "abc");
	assert_false(there(w->tree.boxes, "PLA/archive/2026-11-22/x.received.xml"));
	make_file(w->tree.boxes, "PLA/archive/2026-11-22/x.received.xml", "another");
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_string_equal(content(w->tree.boxes, "PLA/archive/2026-11-22/x.received.xml"), "another");
	assert_int_equal(close(out), 0);
	out = spool_tmp_file(&w->tree, m.id);
	assert_int_not_equal(out, -1);
	assert_int_equal(close(out), 0);
	spool_clean_tmp(&w->tree);
	assert_int_equal(count(w->tree.tmp), 0);
}

/* The signer's word for a notice's name gives it no other document's, nor is that
 * one shown in its place. */
static void
another_name(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = take_one(w, &d, "a.xml", "abc"), n = submission("PLA001");
	int out;

	assert_int_equal(spool_conclude(&w->tree, &m, SHA), 0);
	out = spool_tmp_file(&w->tree, n.id);
	assert_int_equal(write(out, "xyz", 3), 3);
	assert_int_equal(spool_store_notice(&w->tree, n.id, out, SHA, 3), -1);
	assert_int_equal(errno, EBADMSG);
	assert_string_equal(content(w->tree.store, "ba/" SHA), "abc");
	/* compressed */
	assert_int_equal(renameat(w->tree.store, "ba/" SHA, w->tree.store, "ba/" SHA ".zst"), 0);
	assert_int_equal(spool_store_notice(&w->tree, n.id, out, SHA, 3), -1);
	assert_int_equal(errno, EBADMSG);
	assert_false(there(w->tree.store, "ba/" SHA));
	/* the same bytes are no other document */
	assert_int_equal(unlinkat(w->tree.store, "ba/" SHA ".zst", 0), 0);
	make_file(w->tree.store, "ba/" SHA, "xyz");
	assert_int_equal(spool_store_notice(&w->tree, n.id, out, SHA, 3), 0);
	assert_int_equal(count(w->tree.tmp), 0);
	(void)close(out);
	close_dirs(&d);
}

/* Whoever has its descriptor has the new one. */
static void
boxes_removed(void **state)
{
	struct world *w = *state;
	struct m_notice_publish p = { .recipient = "PLA", .file_name = "n.xml", .sha256 = SHA,
	    .day = "2026-11-21" };

	assert_int_equal(tree_renew_boxes(&w->tree), 0);
	assert_int_equal(mkdirat(w->tree.store, "ba", 0770), 0);
	make_file(w->tree.store, "ba/" SHA, "abc");
	assert_int_equal(unlinkat(w->tree.state, "boxes", AT_REMOVEDIR), 0);
	assert_int_equal(spool_publish(&w->tree, &p), -1);
	assert_int_equal(tree_renew_boxes(&w->tree), 1);
	assert_int_equal(tree_renew_boxes(&w->tree), 0);
	assert_int_equal(spool_publish(&w->tree, &p), 0);
	assert_true(there(w->tree.state, "boxes/PLA/outbox/n.xml"));
	/* or put away, to be restored from a copy */
	assert_int_equal(renameat(w->tree.state, "boxes", w->tree.state, "old"), 0);
	assert_int_equal(tree_renew_boxes(&w->tree), 1);
	assert_int_equal(count(w->tree.boxes), 0);
}

/* Listed until concluded and old enough, whichever comes last. */
static void
sweep(void **state)
{
	struct world *w = *state;
	struct dirs d = make_dirs(w);
	struct m_submission m = take_one(w, &d, "a.xml", "abc");
	time_t now = time(NULL);

	assert_int_equal(sweep_sent(&w->tree, now + 1000, 600), 0);
	assert_true(there(d.sent, "a.xml"));	/* not concluded */
	assert_int_equal(spool_conclude(&w->tree, &m, SHA), 0);
	assert_int_equal(sweep_sent(&w->tree, now + 300, 600), 0);
	assert_true(there(d.sent, "a.xml"));	/* too young */
	assert_int_equal(sweep_sent(&w->tree, now + 1000, 600), 0);
	assert_false(there(d.sent, "a.xml"));
	assert_true(there(w->tree.store, "ba/" SHA));
	close_dirs(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(take), TEST(busy), TEST(not_taken), TEST(disk_full), TEST(lost), TEST(scan_passes_over),
		TEST(conclude), TEST(conclude_nothing),
		TEST(scan_repairs), TEST(notice), TEST(another_name), TEST(boxes_removed), TEST(sweep),
		cmocka_unit_test(id_time),
	};

	log_init("test_spool", LOG_COMMAND, 0);
	return cmocka_run_group_tests_name("muhurd/spool", tests, NULL, NULL);
}
