#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A joe job against a server that takes mail for anybody: no bounce leaves to a
# domain that says the mail is not its own, at most the budget to the others,
# and all bounces to honest senders in between leave.  `make joe-job` does it
# with 10,000 messages and 500 domains.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
! is_sanitized || skip_all "the sanitizers see this in notices_gated"
. "$(dirname "$0")/lib/dns.sh"
needs postfix python3 nsd

SPAMS=${SPAMS:-300} DOMAINS=${DOMAINS:-50} GENUINE=${GENUINE:-20} BUDGET=${BUDGET:-30}
mkdir -p "$W/dns"
echo '@ TXT "v=spf1 ip4:198.51.100.9 -all"' >"$W/dns/genuine.example.zone"
echo '* TXT "v=spf1 ip4:192.0.2.200 -all"' >"$W/dns/no.example.zone"
echo '* A 192.0.2.200' >"$W/dns/none.example.zone"
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
sink_start && posternd_configure 'egress-addresses = {"192.0.2.1"}' \
	"notices-in-all = $BUDGET" && postfix_configure || bail "configured"
sink_unwilling -f
sed -i '/^mydestination =/d; /^local_recipient_maps =/d' "$POSTFIX/etc/main.cf"
cat >>"$POSTFIX/etc/main.cf" <<X
mydestination = local.example
local_recipient_maps =
alias_maps =
mailbox_size_limit = 0
mail_spool_directory = $POSTFIX/data
virtual_alias_domains = users.example
virtual_alias_maps = inline:{ { gone@users.example = gone@refuses.example } }
transport_maps = inline:{ { refuses.example = smtp:[127.0.0.1]:$port } }
smtpd_client_connection_count_limit = 0
X
cat >>"$POSTFIX/etc/master.cf" <<X
local    unix  - n n - - local
X
posternd_start && postfix_start || bail "Postfix and posternd start"

"$library/joejob" "$SMTP_PORT" "$SPAMS" "$DOMAINS" "$GENUINE" >"$W/log/joejob" 2>&1
is "all mail is taken" $? 0
drained() {
	[ "$(grep -c 'class=notice' "$W/log/posternd")" -ge $((SPAMS + GENUINE)) ] &&
		postfix_queue_is_empty
}
ok "every message is answered by a notice, and the queue runs empty" \
	wait_for $((30 + SPAMS / 20)) drained
is "none leaves to a domain that says no" \
	"$(grep -rlaE 'X-Rcpt-Args: <[^>]*\.no\.example>' "$W/sink" | wc -l)" 0
none=$(grep -rlaE 'X-Rcpt-Args: <[^>]*\.none\.example>' "$W/sink" | wc -l)
ok "$none leave to domains that say nothing, at most $BUDGET" test "$none" -le "$BUDGET"
ok "and not fewer than the budget" test "$none" -ge "$BUDGET"
is "all $GENUINE to honest senders leave, each once" \
	"$(grep -rhaoE 'X-Rcpt-Args: <h[0-9]+@genuine.example>' "$W/sink" | sort -u | wc -l) $(
	grep -rhaE 'X-Rcpt-Args: <h[0-9]+@genuine.example>' "$W/sink" | wc -l)" \
	"$GENUINE $GENUINE"
is "what did not leave lies in the quarantine" \
	"$(find "$HELD/.discarded/new" -type f | wc -l)" $((SPAMS - none))
ok "posternd is alive" is_alive "$POSTERND_PID"
done_testing
