/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists -- what the settings of rule files (setting.h) became: one member a
 * subject, made once when rules load, never NULL, immutable.
 */
#ifndef RULES_LISTS_H
#define RULES_LISTS_H

#include "base/str.h"

struct arena;
struct diags;
struct settings;

struct eval_lists {
	const struct freemail *freemail;           /* eval_freemail.c */
	const struct fromname *fromname;           /* eval_fromname.c */
	const struct phishing *phishing;           /* eval_phishing.c */
	const struct address_lists *addresses;     /* eval_address_list.c */
	const struct uri_host_lists *uri_hosts;    /* eval_uri_host.c */
	const struct subject_lists *subjects;      /* eval_subject_list.c */
	const struct bounce_relays *bounce_relays; /* eval_bounce.c */
	const struct adsp *adsp;                   /* adsp.h */
	struct str ok_locales;                     /* locale.h */
	const struct patterns *patterns;           /* pattern.h */
};

#endif
