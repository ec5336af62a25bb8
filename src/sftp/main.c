/* SPDX-License-Identifier: ISC */
/* muhur-sftp: the listener, or with -s one session. */
#include "config.h"

#include <string.h>

#include "base/child.h"
#include "sftp/session.h"

int
main(int argc, char *argv[])
{
	struct conf *conf;
	int i, session = 0;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-s") == 0)
			session = 1;
	conf = child_init(session ? "muhur-sftp-session" : "muhur-sftp-listener", argc, argv);
	return session ? session_main(conf) : listener_main(conf);
}
