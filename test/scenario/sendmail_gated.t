#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whom Sendmail's own notices reach, with posternd on the way in and, by
# etc/sendmail-notices.mc.snippet, on the way out.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dns.sh"
needs sendmail nsd
mkdir -p "$W/dns"
# send() comes from 127.0.0.1, on the port that is called MTA
echo '@ TXT "v=spf1 ip4:127.0.0.1 -all"' >"$W/dns/genuine.example.zone"
echo '@ TXT "v=spf1 ip4:192.0.2.200 -all"' >"$W/dns/forged.example.zone"
echo '@ A 192.0.2.200' >"$W/dns/plain.example.zone"
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
sink_start && posternd_configure 'egress-addresses = {"192.0.2.1"}' \
	'class inbound { daemon-names = {"MTA"} }' || bail "posternd and a sink start"
port_free; hop=$port
process_start sink-f smtp-sink -u postfix -f rcpt "127.0.0.4:$SINK_PORT" 64
process_start sink-r smtp-sink -u postfix -r rcpt "127.0.0.5:$SINK_PORT" 64
mapfile -t lines < <(
	sed "s/2526/$hop/; s/?r25/?r$SINK_PORT/" \
		"$srcdir/etc/sendmail-notices.mc.snippet"
	cat <<-X
	Cw local.example
	define(\`confTO_QUEUEWARN', \`1s')dnl
	define(\`ALIAS_FILE', \`$W/aliases')dnl
	LOCAL_RULE_0
	R\$* <@ refuses.example. > \$*	\$#relay \$@ [127.0.0.4] \$: \$1<@refuses.example>\$2
	R\$* <@ slow.example. > \$*	\$#relay \$@ [127.0.0.5] \$: \$1<@slow.example>\$2
	X
)
sendmail_configure "${lines[@]}"
printf '%s\n' 'gone: gone@refuses.example' 'late: "|exit 67"' >"$W/aliases"
sendmail_run -C "$SENDMAIL/daemon.cf" -bi >"$W/log/newaliases" 2>&1
posternd_start && sendmail_start || bail "Sendmail and posternd start"
SMTP_PORT=$SENDMAIL_PORT

# provoked SENDER TO: mail from SENDER; what posternd says of the notice.
provoked() {
	mail "for $2" | sed "s/^From: .*/From: <$1>/" | send -f "$1" -t "$2" >"$W/said"
	[[ $2 != *slow* ]] || { sleep 2; sendmail_queue_run; }
	logged "to=<$1>" 15
}

n=0
for to in gone@refuses.example gone@local.example late@local.example somebody@slow.example; do
	n=$((n + 1))
	like "$to: nothing for a forged sender" "$(provoked v$n@forged.example $to)" \
		"action=discard .*notice=(dsn|delay) origin=forged"
	like "$to: a notice for a genuine one" "$(provoked g$n@genuine.example $to)" \
		"action=accept .*notice=(dsn|delay) origin=genuine"
	ok "$to: it arrives" sink_message "X-Rcpt-Args: <g$n@genuine.example>"
done
like "one of unknown origin leaves" "$(provoked p@plain.example gone@refuses.example)" \
	"action=accept .*origin=unknown"
provoked p@plain.example gone@local.example >/dev/null
like "and no second one" "$(logged 'to=<p@plain.example>.*reason=budget-addressee' 15)" \
	"action=discard"
sleep 1
is "nothing reaches a forged sender" \
	"$(grep -rlaE 'X-Rcpt-Args: <[^>]*@forged.example>' "$W/sink" | wc -l)" 0
for i in 1 2 3 4; do
	is "once for g$i" "$(sink_find "X-Rcpt-Args: <g$i@genuine.example>" | wc -l)" 1
done
done_testing
