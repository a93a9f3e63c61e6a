/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_make -- from the settings of rule files to what eval functions ask
 * (lists.h).  Each maker reads the lines of its subject in order and tells
 * `diags` of the broken ones; what it makes lives as long as the rules.
 */
#ifndef RULES_LIST_MAKE_H
#define RULES_LIST_MAKE_H

#include "rules/rule.h"

/* All of rules->lists, before rules are defined. */
void lists_make(struct ruleset *rules, struct diags *diags);

/* eval_freemail.c; needs lists.addresses, whose lists it may be told to use. */
const struct freemail *freemail_new(struct ruleset *rules, struct diags *diags);
/* eval_fromname.c */
const struct fromname *fromname_new(struct ruleset *rules, struct diags *diags);
/* eval_phishing.c; needs the top-level domains. */
const struct phishing *phishing_new(struct ruleset *rules, struct diags *diags);
/* eval_uri_host.c */
const struct uri_host_lists *uri_host_lists_new(
    struct ruleset *rules, struct diags *diags);
/* eval_subject_list.c */
const struct subject_lists *subject_lists_new(
    struct ruleset *rules, struct diags *diags);
/* eval_bounce.c */
const struct bounce_relays *bounce_relays_new(
    struct ruleset *rules, struct diags *diags);
/* adsp.c */
const struct adsp *adsp_new(struct ruleset *rules, struct diags *diags);

/* redirector.c; into rules->mail */
void redirectors_make(struct ruleset *rules, struct diags *diags);

/*
 * "(NAME) rest": `*value` becomes "rest".  A view into `*value`; false: it is
 * not written so.
 */
MUST_CHECK bool setting_list_name(struct str *value, struct str *ret);

#endif
