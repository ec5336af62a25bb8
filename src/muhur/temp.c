/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "muhur/temp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

int
temp_file(void)
{
	const char	*dir = getenv("TMPDIR");
	FILE		*f;
	int		 fd;

	fd = open(dir != NULL ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd == -1 && (f = tmpfile()) != NULL) {
		fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 3);
		fclose(f);
	}
	if (fd == -1)
		log_warn("temporary file");
	return fd;
}
