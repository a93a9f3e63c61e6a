/* SPDX-License-Identifier: BSD-2-Clause */
/* receiver -- a message as its receiver will see it. */
#include "session/receiver.h"

#include "auth/dkim_sendmail.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "session/alerts.h"
#include "session/strip.h"

/* More header fields than any mail has; what is past them is not signed. */
#define FIELDS_MAX 10000
/* Longer lines are broken: smtp_line_length_limit, and L= of mailer esmtp. */
#define POSTFIX_LINE 998
#define SENDMAIL_LINE 990
#define ALARM_MS ((int64_t)3600 * 1000)

static void
mail_as_sent(
    struct arena *a, const struct receiver_query *query, struct dkim_mail *ret)
{
	size_t n = 0;
	dkim_mail_cut(a, query->raw, FIELDS_MAX, ret);
	for (size_t i = 0; i < ret->n; i++)
		if (!field_is_stripped(ret->v[i].name,
			dkim_field_value(&ret->v[i]), query->authserv_id))
			ret->v[n++] = ret->v[i];
	ret->n = n;
	if (query->is_sendmail)
		dkim_mail_as_sendmail(a, ret);
}

void
receiver_look(struct arena *a, const struct snapshot *snapshot,
    const struct dns *dns, const struct receiver_query *query,
    struct receiver_view *ret)
{
	const struct config *config = &snapshot->config;
	enum mail_class class = query->envelope->class;
	struct facts_query facts = {
	    .policy = &snapshot->policy,
	    .envelope = query->envelope,
	    .mta_name = query->mta_name,
	    .mail = &ret->mail,
	    .line_max = query->is_sendmail ? SENDMAIL_LINE : POSTFIX_LINE,
	    .may_sign =
		query->is_released ||
		(class != CLASS_INBOUND && config->class[class].is_signed),
	    .is_released = query->is_released,
	    .now_wall = clock_wall(),
	};
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + config->dns_ms,
	    .questions = (unsigned)config->dns_questions,
	    .on_wait = query->on_wait,
	    .arg = query->wait_arg,
	};
	mail_as_sent(a, query, &ret->mail);
	facts_find(a, dns, &facts, &budget, &ret->facts);
}

size_t
receiver_sign(struct arena *a, const struct snapshot *snapshot,
    const struct receiver_view *view, struct str *ret)
{
	struct dkim_sign_options options = snapshot->policy.sign;
	options.now_wall = clock_wall();
	size_t n = 0;
	for (size_t i = 0; i < view->facts.nsigners; i++) {
		const char *why = "";
		if (dkim_sign_mail(a, &view->facts.signers[i], &view->mail,
			&options, &ret[n], &why))
			n++;
		else
			log_error("%.*s: cannot sign: %s",
			    STR_ARG(view->facts.envelope->queue_id), why);
	}
	return n;
}

static void
alarm_give(struct arena *a, const struct dns *dns, struct alerts *alerts,
    const struct preflight_signer *ours)
{
	struct str name = str_printf(a, "%.*s._domainkey.%.*s",
	    STR_ARG(ours->signer.selector), STR_ARG(ours->signer.domain));
	struct str key = str_printf(a, "alarm %.*s", STR_ARG(name));
	int64_t now_ms = clock_ms();
	if (cache_get(dns->cache, a, key, now_ms) != NULL)
		return;
	struct arena *owner = arena_new_small();
	(void)cache_put(dns->cache, a, key, owner, "", CACHE_COST + key.len,
	    now_ms + ALARM_MS);
	alerts_raise(alerts, ALERT_KEY_MISMATCH, name,
	    str_printf(a, "the published record is %.*s",
		STR_ARG(dkim_match_name(ours->match))));
	log_warning(
	    "DKIM key %.*s: the published record is %.*s, so receivers "
	    "will not accept what it signs; see: postern preflight %.*s",
	    STR_ARG(name), STR_ARG(dkim_match_name(ours->match)),
	    STR_ARG(ours->signer.domain));
}

void
receiver_alarm(struct arena *a, const struct dns *dns, struct alerts *alerts,
    const struct facts *facts)
{
	if (dns == NULL)
		return;
	for (size_t i = 0; i < facts->flight.nours; i++) {
		const struct preflight_signer *ours = &facts->flight.ours[i];
		if (ours->match != DKIM_MATCHES && ours->match != DKIM_UNKNOWN)
			alarm_give(a, dns, alerts, ours);
	}
}
