/* SPDX-License-Identifier: BSD-2-Clause */
/* config_form -- what the texts of options have to look like, one row an
 * option.  Whether what they name is there is not asked. */
#ifndef SESSION_CONFIG_FORM_H
#define SESSION_CONFIG_FORM_H

#include "base/option.h"

/* Ended by a row without name. */
extern const struct option_form CONFIG_FORMS[];

/* The path of a unix socket in `spec`, the value of the option socket; empty:
 * it is none. */
struct str config_form_socket_path(struct str spec);

#endif
