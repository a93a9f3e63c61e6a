#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whom a server's notices reach: through Postfix with posternd on both legs, a
# real name server, Dovecot, Sieve scripts, a list manager and a web script.  To a
# forged sender nothing leaves; to a genuine one everything does, once; to one
# whose domain says nothing, as much as the budget allows.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dns.sh"
needs postfix dovecot python3 nsd

mkdir -p "$W/dns"
# provoke() comes from 198.51.100.9
echo '@ TXT "v=spf1 ip4:198.51.100.9 -all"' >"$W/dns/genuine.example.zone"
echo '@ TXT "v=spf1 ip4:192.0.2.200 -all"' >"$W/dns/forged.example.zone"
echo '@ TXT "v=spf1 ip4:192.0.2.200 ~all"' >"$W/dns/soft.example.zone"
echo '@ A 192.0.2.200' >"$W/dns/plain.example.zone"
printf '%s\n' '@ A 192.0.2.200' '_dmarc TXT "v=DMARC1; p=reject"' \
	>"$W/dns/strict.example.zone"
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
gate_with_responders 'egress-addresses = {"192.0.2.1"}' \
	'notices-per-domain = 3'

arrived() {
	sink_find "X-Rcpt-Args: <$1>" | wc -l
}

# forged NAME MAILBOX KIND [DOMAIN]: somebody else writes as its sender.
count=0
forged() {
	local victim
	count=$((count + 1)) victim=v$count@${4-forged.example}
	like "$1: mail is taken" "$(provoke "$victim" "$2")" "^250 "
	like "$1: the notice is discarded" "$(logged "to=<$victim>" 10)" \
		"action=discard .*notice=$3 origin=forged .*reason=forged"
	forged_all+=("$victim")
}

genuine() {
	local sender
	count=$((count + 1)) sender=g$count@genuine.example
	like "$1: mail is taken" "$(provoke "${@:4}" "$sender" "$2")" "^250 "
	like "$1: the notice leaves" "$(logged "to=<$sender>" 10)" \
		"action=accept .*notice=$3 origin=genuine "
	ok "$1: it arrives" sink_message "X-Rcpt-Args: <$sender>"
	genuine_all+=("$sender")
}

boxes=(
	"vacation|vacation@users.example|vacation"
	"Sieve reject|reject@users.example|reject"
	"a full mailbox, asked in time|full@users.example|quota"
	"a full mailbox, seen late|brimful@users.example|quota"
	"a user Dovecot does not know|ghost@users.example|dsn"
	"a full mailbox of dovecot-lda|full@lda.example|quota"
	"a user Postfix does not know|ghost@local.example|dsn"
	"a forward that is refused|gone@users.example|dsn"
	"a forward that waits|slow@users.example|delay"
	"a list that holds|list@local.example|list"
	"a script that acknowledges|ticket@local.example|(ticket|autoreply)"
)
for box in "${boxes[@]}"; do
	IFS='|' read -r name address kind <<<"$box"
	forged "$name" "$address" "$kind"
	genuine "$name" "$address" "$kind"
done
forged "softfail" ghost@local.example dsn soft.example
forged "a policy of reject" ghost@local.example dsn strict.example
genuine "a receipt that was asked for" alice@users.example dsn \
	-r NOTIFY=SUCCESS

# ---- nothing is known: budgets

for i in 1 2; do
	provoke p@plain.example ghost@local.example >"$W/said"
	logged "to=<p@plain.example>.*reason=${reason-unknown}" 10 >"$W/line" ||
		cat "$W/log/posternd" >&2
	reason=budget-addressee
done
like "one leaves for one addressee, the next does not" "$(cat "$W/line")" \
	"action=discard .*origin=unknown .*reason=budget-addressee"
for i in 1 2 3; do
	provoke "q$i@plain.example" ghost@local.example >"$W/said"
	logged "to=<q$i@plain.example>" 10 >"$W/line"
done
like "nor a fourth one for one domain" "$(cat "$W/line")" \
	"action=discard .*reason=budget-domain"

# ---- a notice about a notice, and one that is only passed on

mail "lost" | sed 's/^From: .*/From: MAILER-DAEMON@genuine.example/' |
	send -c 198.51.100.9 -f '' -t ghost@local.example >"$W/said"
sleep 1
ok "a notice to nobody makes none" test "$(sink_find 'Subject: lost' | wc -l)" = 0

# ---- what the operator sees

sleep 1
for victim in "${forged_all[@]}"; do
	is "nothing reaches $victim" "$(arrived "$victim")" 0
done
is "nothing at all reaches a forged sender" \
	"$(grep -rlaE 'X-Rcpt-Args: <[^>]*@(forged|soft|strict).example>' "$W/sink" | wc -l)" 0
for sender in "${genuine_all[@]}"; do
	is "once for $sender" "$(arrived "$sender")" 1
done
is "what is discarded lies in the quarantine" \
	"$(postern quarantine list --folder discarded --json | grep -c forged.example)" \
	"${#boxes[@]}"
is "and none stays in the queue" \
	"$(postfix_queue | grep -c '"address": "v[0-9]*@forged.example')" 0
id=$(postern quarantine list --folder discarded --json | grep -a v1@forged.example |
	sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
like "with the reason" "$(postern quarantine show "$id")" "forged: ledger: .*spf=fail"
like "the digest says for what" "$(postern digest)" \
	" to forged senders"$'\n'"  [0-9]+ of unknown origin that were over a budget"
like "postern notices tells the decisions" "$(postern notices --json)" \
	'"action": *"discard".*"origin": *"forged"'
like "postern ledger shows what came" "$(postern ledger show v1@forged.example)" \
	"fail .*v1@forged.example"
done_testing
