/* SPDX-License-Identifier: BSD-2-Clause */
/* pattern -- the fixed regular expressions, one row each. */
#include "rules/pattern.h"

#include "base/arena.h"
#include "rules/eval.h"
#include "rules/lists.h"

struct patterns {
	struct regex *regex[PATTERN_COUNT];
};

static const char *const rows[PATTERN_COUNT] = {
    [PATTERN_RECEIVED_DATE] = "\\s.?\\d+ \\S\\S\\S \\d+ \\d+:\\d+:\\d+ \\S+",
    /* How fetchmail and what it hands to write their lines. */
    [PATTERN_RECEIVED_LOCALHOST] =
	"\\bfrom (?:localhost\\s|(?:\\S+ ){1,2}\\S*\\b127\\.0\\.0\\.1\\b)",
    [PATTERN_RECEIVED_QMAIL_UID] = "qmail \\d+ invoked by uid \\d+",
    [PATTERN_RECEIVED_FETCHMAIL] =
	"\\bby localhost with \\w+ \\(fetchmail-[\\d.]+",
    [PATTERN_OUTLOOK_ID] =
	"^<[0-9a-f]{4}[0-9a-f]{8}\\$[0-9a-f]{8}\\$[0-9a-f]{8}\\@",
    /* Lists that take out Received fields. */
    [PATTERN_EZMLM_LIST] = "(?m)^contact \\S+\\@\\S+\\; run by ezmlm$",
    [PATTERN_EZMLM_DELIVERED] = "(?m)^mailing list \\S+\\@\\S+",
    [PATTERN_EZMLM_RECEIVED] = "qmail \\d+ invoked (?:from network|by "
			       ".{3,20})\\); \\d+ ... \\d+",
    [PATTERN_MSN_GROUPS] = "from groups\\.msn\\.com \\(\\S+\\.msn\\.com ",
    /* Programs that write a Message-ID of their own. */
    [PATTERN_LIST_UNSUBSCRIBE] =
	"(?i)<mailto:(?:leave-\\S+|\\S+-unsubscribe)\\@\\S+>$",
    [PATTERN_REWRITES_ID] = "/CWT/DCE\\)|iPlanet Messaging Server",
    [PATTERN_RATWARE_ID] = "<[A-Z]{28}\\.[^>]+?>",
    [PATTERN_SRS] = "(?i)^SRS\\d[=+-]",
    [PATTERN_TEMPLATE] = "%[A-Z][A-Z_-]",
    [PATTERN_TEMPLATE_FIELDS] =
	"(?i)^(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|"
	"In-Reply-To|(?:X-|Resent-|X-Original-)?Message-Id):",
    [PATTERN_REPLY_PREFIX] =
	"(?i)^(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\\s*)+",
    /* Scripts without capitals. */
    [PATTERN_CAPLESS_CHARSET] =
	"(?i)=\\?[-_a-z0-9]*(?:koi|jp|jis|euc|gb|big5|isoir|cp1251|"
	"windows-1251|georgianps|pt154|tis)[-_a-z0-9]*\\?",
    /* Addresses of roles, forwarders and returned mail. */
    [PATTERN_FREEMAIL_ROLE] =
	"(?i)^(?:abuse|support|sales|info|helpdesk|contact|kontakt|"
	"(?:post|host|domain)master|undisclosed.*|request-[a-f0-9]{16}|"
	"bounced?-|[a-f0-9]{8}(?:\\.[a-f0-9]{8}|-[a-f0-9]{4}-[a-f0-9]{4}-"
	"[a-f0-9]{4}-[a-f0-9]{12})|.+=.+=.+)\\@",
    [PATTERN_FREEMAIL_BULK] =
	"(?i)(?:^(?:post|host|domain)master|^double-bounce|"
	"^(?:sentto|owner|return|(?:gr)?bounced?)-.+|"
	"-(?:request|bounces?|admin|owner)|"
	"\\b(?:do[._-t]?)?no[._-t]?repl(?:y|ies)|.+=.+)\\@",
    /* An address in a name that is in lower case. */
    [PATTERN_NAME_ADDRESS] = "\\b[\\w.!#$%&'*+/=?^`{|}~-]+\\@\\w[\\w-]*\\.\\w"
			     "[\\w.-]++\\b",
    [PATTERN_FREEMAIL_URL] = "(?i)<?https?://\\S{0,255}(?:\\@|%40)\\S{0,255}",
};

const struct patterns *
patterns_new(struct arena *a, struct regex_env *env)
{
	struct patterns *patterns = ARENA_NEW(a, struct patterns);
	for (size_t i = 0; i < PATTERN_COUNT; i++) {
		struct str why;
		/* They are ours: one that is broken fails the first test. */
		if (regex_new(env, str_from(rows[i]), &patterns->regex[i],
			&why) != REGEX_OK)
			abort();
		regex_speed_up(patterns->regex[i]);
	}
	return patterns;
}

bool
pattern_find(const struct eval_call *call, enum pattern_name name,
    struct str text, size_t from, struct regex_span *ret)
{
	return regex_match(call->lists->patterns->regex[name], call->scratch,
		   text, from, false, ret) == REGEX_YES;
}

bool
pattern_matches(
    const struct eval_call *call, enum pattern_name name, struct str text)
{
	struct regex_span span;
	return pattern_find(call, name, text, 0, &span);
}
