/* SPDX-License-Identifier: BSD-2-Clause */
/* lists -- all that settings of rule files become, in one place. */
#include "rules/lists.h"

#include "rules/address_list.h"
#include "rules/list_make.h"
#include "rules/locale.h"
#include "rules/pattern.h"

/* "(NAME) rest" may have blanks in NAME: the first ) before a blank ends it. */
bool
setting_list_name(struct str *value, struct str *ret)
{
	struct str rest = *value;
	if (rest.len < 2 || rest.p[0] != '(')
		return false;
	for (size_t i = 2; i + 1 < rest.len; i++) {
		if (rest.p[i] != ')' || !char_is_space(rest.p[i + 1]))
			continue;
		*ret = str_sub(rest, 1, i - 1);
		*value = str_trim(str_skip(rest, i + 1));
		return true;
	}
	return false;
}

void
lists_make(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *of = rules->settings.of;
	struct eval_lists *lists = &rules->lists;
	lists->patterns = patterns_new(rules->arena, rules->env);
	lists->ok_locales = locale_setting(&rules->settings);
	lists->addresses =
	    address_lists_new(rules->arena, &of[SETTING_ADDRESSES], diags);
	lists->freemail = freemail_new(rules, diags);
	lists->fromname = fromname_new(rules, diags);
	lists->phishing = phishing_new(rules, diags);
	lists->uri_hosts = uri_host_lists_new(rules, diags);
	lists->subjects = subject_lists_new(rules, diags);
	lists->bounce_relays = bounce_relays_new(rules, diags);
	lists->adsp = adsp_new(rules, diags);
	redirectors_make(rules, diags);
}
