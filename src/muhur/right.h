/* SPDX-License-Identifier: ISC */
/*
 * Rights (S2 E): of users, for their own member or one that lets them act, one
 * by one or by roles; and where two persons are asked for.  Nothing is removed:
 * what is withdrawn ends, and stays to be read.  All are verbs of the command.
 */
#ifndef MUHUR_MUHUR_RIGHT_H
#define MUHUR_MUHUR_RIGHT_H

#include "muhur/cmd.h"

int user_grant(struct cmd *c, int argc, char **argv);
int user_withdraw(struct cmd *c, int argc, char **argv);
int user_history(struct cmd *c);
int member_dual_control(struct cmd *c, int argc, char **argv);

#endif
