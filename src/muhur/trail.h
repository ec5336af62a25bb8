/* SPDX-License-Identifier: ISC */
/* The verbs of `muhur trail'; each returns an exit code. */
#ifndef MUHUR_MUHUR_TRAIL_H
#define MUHUR_MUHUR_TRAIL_H

#include "muhur/cmd.h"

int trail_checkpoint(struct cmd *c, int argc, char **argv);
int trail_prove(struct cmd *c, int argc, char **argv);
int trail_verify(struct cmd *c, int argc, char **argv);
int trail_stamp(struct cmd *c, int argc, char **argv);

#endif
