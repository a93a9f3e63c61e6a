/* SPDX-License-Identifier: BSD-2-Clause */
/* class -- who hands the message over. */
#include "session/class.h"

#include "base/arena.h"
#include "base/network.h"

static bool
is_pinned(const struct class_config *class, const struct origin *origin)
{
	return strs_ihas(&class->daemon_names, origin->daemon_name) ||
	       network_has(&class->listen, origin->daemon_addr) ||
	       network_has(&class->networks, origin->client_addr);
}

/* Sendmail's submission program speaks SMTP from loopback and names the author.
 */
static bool
is_sendmail_msp(const struct origin *origin)
{
	return origin->author.len > 0 &&
	       network_is_loopback(origin->client_addr);
}

bool
class_is_mta_itself(const struct origin *origin)
{
	return origin->client_port == 0 &&
	       (origin->client_addr.len == 0 ||
		   network_is_loopback(origin->client_addr));
}

enum mail_class
class_channel(const struct config *config, const struct origin *origin)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (is_pinned(&config->class[i], origin) &&
		    (i != CLASS_INBOUND || !class_is_mta_itself(origin)))
			return (enum mail_class)i;
	if (origin->login.len > 0)
		return CLASS_SUBMISSION;
	if (class_is_mta_itself(origin) || is_sendmail_msp(origin))
		return CLASS_LOCAL;
	if (network_has(&config->trusted_networks, origin->client_addr))
		return CLASS_RELAY;
	return CLASS_INBOUND;
}

enum mail_class
class_of(const struct config *config, const struct origin *origin)
{
	enum mail_class class = class_channel(config, origin);
	if (class != CLASS_INBOUND &&
	    (origin->is_null_sender || origin->is_auto_submitted))
		return CLASS_NOTICE;
	return class;
}

bool
class_can_refuse(const struct origin *origin)
{
	bool is_local_notice = origin->is_null_sender &&
			       origin->login.len == 0 &&
			       network_is_loopback(origin->client_addr);
	return !class_is_mta_itself(origin) && !is_local_notice;
}

bool
class_is_of_mta(const struct config *config, const struct origin *origin)
{
	enum mail_class channel = class_channel(config, origin);
	return origin->is_null_sender && origin->login.len == 0 &&
	       (channel == CLASS_LOCAL || channel == CLASS_RELAY ||
		   channel == CLASS_NOTICE);
}

struct str
class_login(struct arena *a, const struct config *config, struct str login,
    struct str host_name)
{
	struct str name = str_lower(a, str_trim(login));
	size_t at = str_rchr(name, '@');
	if (at == STR_NONE && (at = str_rchr(name, '%')) != STR_NONE)
		name = str_printf(a, "%.*s@%.*s", STR_ARG(str_sub(name, 0, at)),
		    STR_ARG(str_skip(name, at + 1)));
	if (at == STR_NONE)
		return name;
	struct str domain = str_skip(name, at + 1);
	while (domain.len > 0 && domain.p[domain.len - 1] == '.')
		domain.len--;
	bool is_ours = at > 0 && (domain.len == 0 ||
				     str_ieq(domain, config->login_domain) ||
				     str_ieq(domain, host_name));
	return str_sub(name, 0, is_ours ? at : at + 1 + domain.len);
}

bool
class_is_auto_submitted(struct str value)
{
	struct str keyword = str_trim(str_cut(&value, ';'));
	return keyword.len > 0 && !str_ieq(keyword, STR("no"));
}
