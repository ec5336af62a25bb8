/* SPDX-License-Identifier: ISC */
/* How far long work has come, on standard error and on a terminal only. */
#ifndef MUHUR_MUHUR_PROGRESS_H
#define MUHUR_MUHUR_PROGRESS_H

/* Follow the documents that are read from now on, where standard error is a
 * terminal.  Before the sandbox, which lets nobody ask. */
void progress_setup(void);
/* The next document; size: bytes, 0 unknown. */
void progress_begin(long long size);
/* Leaves of a log that were read, of how many; no set-up is needed. */
void progress_leaves(long long done, long long all);
/* Its line goes, so that what is printed next stands alone. */
void progress_end(void);

#endif
