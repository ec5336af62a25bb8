/* SPDX-License-Identifier: ISC */
/*
 * Work that may wait for the disk, off the poll loop: a few threads take jobs
 * from lanes.  Jobs of one lane run one after the other, in the order they
 * were handed in; lanes are for what must not overtake itself (one user's
 * box, one submission, one notice).
 */
#ifndef MUHUR_MUHURD_DISK_H
#define MUHUR_MUHURD_DISK_H

#include <stddef.h>
#include <stdint.h>

struct disk_job {
	/* On a thread: touches only what belongs to the job. */
	void	(*work)(struct disk_job *job);
	/* On the poll loop, after work: takes the results and frees the job. */
	void	(*done)(struct disk_job *job);
	struct disk_job *next;
};

struct disk;
/* Threads inherit the caller's sandbox and signal mask, so start it after
 * both.  NULL with errno. */
struct disk *disk_start(unsigned nthreads);
/* Readable (poll) when disk_reap has something to do. */
int disk_fd(const struct disk *d);
/* Call done for every finished job. */
void disk_reap(struct disk *d);
/* Embed struct disk_job as the first member of the job's own struct. */
void disk_submit(struct disk *d, uint64_t lane, struct disk_job *job);
/* Jobs handed in whose done has not been called. */
size_t disk_pending(const struct disk *d);
/* Wait for every job, call done for each, end the threads. */
void disk_stop(struct disk *d);

/* A lane's number from a name. */
uint64_t disk_lane(const char *name);

#endif
