/* SPDX-License-Identifier: ISC */
/*
 * The file system's half of the sandbox: one Landlock layer.  Used through
 * base/sandbox.h only.  Everything a kernel's Landlock can refuse is refused:
 * files, TCP (ABI 4), device ioctls (5), signals and abstract sockets that
 * leave the layer (6); only what the rules name is given back.
 */
#ifndef MUHUR_BASE_LANDLOCK_H
#define MUHUR_BASE_LANDLOCK_H

#include <stddef.h>

#include "base/sandbox.h"

/* exec: what may be read and not written may be executed too (SB_PROC).
 * no_new_privs must be set.  0, or -1 with the cause logged. */
int landlock_enter(const struct sandbox_path *paths, size_t npaths, int exec);

#endif
