#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A DNS that is slow, dead or lying: the right verdict or "temp", in time, and
# nobody waits for another's dead zone.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dns.sh"

long=$(head -c 7000 /dev/zero | tr '\0' x)
cat >"$W/zone" <<X
good.example TXT v=spf1 ip4:192.0.2.1 -all
good.example MX 10 mail.good.example
_dmarc.good.example TXT v=DMARC1; p=reject
big.example TXT v=spf1 ip4:192.0.2.1 -all
big.example TXT $long
_dmarc.big.example TXT v=DMARC1; p=reject; x=$long
chain.example CNAME a.chain.example
a.chain.example CNAME good.example
_dmarc.chain.example CNAME b.chain.example
b.chain.example CNAME _dmarc.good.example
_dmarc.wild.example TXT v=DMARC1; p=reject
*.wild.example TXT v=spf1 ip4:192.0.2.1 -all
slow.example TXT v=spf1 ip4:192.0.2.1 -all
slow.example ! slow 300
_dmarc.slow.example TXT v=DMARC1; p=reject
X
liar_start "$W/zone" || bail "the lying name server starts"
DNS="{\"$LIAR\"}"
gate_alone 'egress-addresses = {"192.0.2.1"}' 'dns-time = 1s' 'dns-query-time = 1s' \
	'on-timeout = accept'

# judged DOMAIN: what the log says of mail from there.
judged() {
	local id="q$RANDOM$RANDOM"
	printf 'From: a@%s\nSubject: %s\n\nHello.\n' "$1" "$id" >"$W/$id"
	mclient_files "$W/$id" -- --from "a@$1" --login alice --queue-id "$id" >/dev/null
	logged " ${id}[0-9]*: " 10 | grep -oE 'spf=[a-z]+ |preflight=[a-z_]+' | xargs
}

# ---- one at a time

is "a good zone" "$(judged good.example)" "spf=pass preflight=pass_spf_only"
is "8 KB of TXT, over TCP" "$(judged big.example)" "spf=pass preflight=pass_spf_only"
is "chains of CNAMEs" "$(judged chain.example)" "spf=pass preflight=pass_spf_only"
is "a wildcard" "$(judged a.wild.example)" "spf=pass preflight=pass_spf_only"
is "a slow zone that comes in time" "$(judged slow.example)" \
	"spf=pass preflight=pass_spf_only"
is "a zone that is not there" "$(judged nowhere.example)" "spf=none preflight=nodmarc"
for zone in dead servfail refused formerr wrong-id wrong-question garbage short tcp-dead; do
	is "$zone is temp, and nothing worse" "$(judged "$zone.test")" \
		"spf=temperror preflight=temp"
done

# A stranger's zone hides nothing of the author's.
printf 'From: ceo@x1.good.example\nSubject: bank\n\nHello.\n' >"$W/bank"
mclient_files "$W/bank" -- --from a@f.dead.test --login alice --queue-id bank >/dev/null
like "a dead sender's zone does not hide the author's policy" "$(logged ' bank[0-9]*: ')" \
	"spf=temperror .*preflight=fail_reject"

# ---- many at once

files=()
for i in {1..200}; do
	printf 'From: a@d%s.dead.test\nSubject: dead\n\nHello.\n' "$i" >"$W/dead$i"
	files+=("$W/dead$i")
done
said=$(mclient_files "${files[@]}" -- --bench --login alice --connections 200 --total 200 \
	--from a@sender.dead.test)
most=$(sed -n 's/.*max_ms=\([0-9]*\).*/\1/p' <<<"$said")
like "200 messages with a dead DNS are all answered" "$said" "errors=0"
slack=1000
! is_sanitized || slack=4000
ok "none waits longer than its second ($most ms)" test "${most:-99999}" -le $((1000 + slack))

# Others that are asked for meanwhile, none of them known yet.
dead=() good=()
for i in {1..40}; do
	printf 'From: a@e%s.dead.test\nSubject: dead\n\nHello.\n' "$i" >"$W/dead$i"
	printf 'From: a@g%s.good.test\nSubject: good\n\nHello.\n' "$i" >"$W/good$i"
	dead+=("$W/dead$i") good+=("$W/good$i")
done
mclient_files "${dead[@]}" -- --bench --login alice --connections 40 --total 160 \
	--repeat 4 --from a@x.dead.test >"$W/said.dead" &
crowd=$!
sleep 0.5
said=$(mclient_files "${good[@]}" -- --bench --login alice --connections 1 --total 40 \
	--repeat 40 --from a@good.example)
half=$(sed -n 's/.*p50_ms=\([0-9]*\).*/\1/p' <<<"$said")
ok "good zones among 40 dead ones are not slowed by them ($half ms)" \
	test "${half:-9999}" -le $((slack / 4))
wait "$crowd"
like "the dead ones are answered, too" "$(cat "$W/said.dead")" "errors=0"

# ---- a server that is gone

liar_stop
is "what is known is still known" "$(judged good.example)" \
	"spf=pass preflight=pass_spf_only"
before=$(date +%s%N)
is "what is not is temp" "$(judged other.example)" "spf=temperror preflight=temp"
took=$((($(date +%s%N) - before) / 1000000))
ok "in time ($took ms)" test $took -le $((1500 + slack))
like "status counts it" "$(postern status)" "dns-timeouts=[1-9]"
done_testing
