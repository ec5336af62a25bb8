/* SPDX-License-Identifier: ISC */
/* Every setting of muhur.conf(5) with its type and its default; conf.c judges
 * the values.  For conf.c alone. */
#ifndef MUHUR_BASE_CONF_DEFAULTS_H
#define MUHUR_BASE_CONF_DEFAULTS_H

#include <confuse.h>

/* As cfg_init takes them, which may write into them: not const. */
extern cfg_opt_t conf_defaults[];

#endif
