/* SPDX-License-Identifier: ISC */
/* What a sequencer does where it cannot go on: for its own files alone. */
#ifndef MUHUR_SEQUENCER_TROUBLE_H
#define MUHUR_SEQUENCER_TROUBLE_H

#include "sequencer/sequencer.h"

#define LOOK_TIME	USEC_PER_SEC		/* at events that wait, and at the locks */
#define ALARM_TIME	(60 * USEC_PER_SEC)	/* a refusal, or trouble, is told again */

/* Nothing more is asked or written. */
void	drop_writer(struct sequencer *s);
/* It will not number or sign, and says why: an alarm each minute until it may. */
void	refuse(struct sequencer *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The folder, or the database for now: begin again from what is published. */
void	begin_again(struct sequencer *s, usec_t pause);
void	database_trouble(struct sequencer *s);
void	folder_trouble(struct sequencer *s);
/* What is wrong is this gateway's alone, so another one may go on: neither lock is kept. */
void	let_go(struct sequencer *s);

#endif
