/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "muhurd/setup.h"

/* What is left of root: children get their own uids, and can be ended. */
#define KEPT	(1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL)

/* Executing something as root gives nothing, and nothing of this can be taken
 * back; capabilities stay over the coming change of uid. */
#define SECUREBITS	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS |	\
	SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int
keep_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	data[0].effective = data[0].permitted = KEPT;
	return (int)syscall(SYS_capset, &header, data);
}

int
setup_drop_root(struct gateway *gw)
{
	uid_t uid = gw->uid[ROLE_MUHURD];
	gid_t gid = gw->gid[ROLE_MUHURD];
	int cap;

	if (!gw->own_uids)
		return 0;
	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (((1ULL << cap) & KEPT) == 0 && cap != CAP_SETPCAP &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1 && errno != EINVAL)
			goto fail;
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) == -1 ||
	    prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0) == -1 ||
	    setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || keep_capabilities() == -1)
		goto fail;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		goto fail;
	log_info("root is given up; each role has its own uid");
	return 0;
fail:
	log_warn("giving up root");
	return -1;
}

int
setup_sandbox(struct gateway *gw)
{
	static const unsigned promises = SB_STDIO | SB_PASSFD | SB_RPATH | SB_WPATH | SB_FILEIO |
	    SB_GETDENTS | SB_SOCKIO | SB_THREAD | SB_PROC | SB_LEASE;
	struct sandbox_path *paths;
	size_t n = 0, k;
	int i, rc;

	/* Children inherit this: their own sandbox can only take away from it. */
#define ALLOW(descriptor, what) do {					\
	if ((descriptor) != -1)						\
		paths[n++] = (struct sandbox_path){ (descriptor), NULL, (what) };	\
} while (0)
	paths = xcalloc(ROLE_COUNT + MEMBER_KIND_COUNT + 8 + gw->fd.ntoken, sizeof(*paths));
	ALLOW(gw->tree.state, SB_READ | SB_WRITE);
	ALLOW(gw->fd.schemas, SB_READ);
	ALLOW(gw->fd.rules, SB_READ);
	/* a renewed file is another inode, so its folder must stay readable */
	ALLOW(gw->fd.anchors_dir, SB_READ);
	for (i = 0; i < MEMBER_KIND_COUNT; i++)
		ALLOW(gw->fd.kind_dir[i], SB_READ);
	ALLOW(gw->fd.crl_dir, SB_READ);
	ALLOW(gw->fd.tsa_dir, SB_READ);
	ALLOW(gw->fd.crls_dir, SB_READ);
	for (i = 0; i < ROLE_COUNT; i++)
		ALLOW(gw->fd.program[i], SB_READ);
	/* the signer's layer leaves these to the signer alone */
	for (k = 0; k < gw->fd.ntoken; k++)
		ALLOW(gw->fd.token[k], k < gw->fd.ntoken_read ? SB_READ : SB_READ | SB_WRITE);
#undef ALLOW
	rc = sandbox_enter(gw->conf->sandbox, promises, paths, n);
	free(paths);
	return rc;
}
