/* SPDX-License-Identifier: ISC */
/* A file without a name, which ends with its last descriptor. */
#ifndef MUHUR_MUHUR_TEMP_H
#define MUHUR_MUHUR_TEMP_H

/* For reading and writing, in $TMPDIR or /tmp.  -1, logged. */
int temp_file(void);

#endif
