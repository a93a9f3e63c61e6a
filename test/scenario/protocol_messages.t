#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Many messages on one connection and many connections: each message is judged
# for itself, as Postfix and as Sendmail hand it over.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }'
mail "good" >"$W/good"
mail "hold me" >"$W/hold"
mail "reject me" >"$W/reject"
mail "tag me" >"$W/tag"
files=("$W/good" "$W/hold" "$W/reject" "$W/tag")

for mta in postfix sendmail; do
	said=$(mclient_files "${files[@]}" -- --like $mta --login alice --repeat 4 \
		--queue-id "${mta^^}")
	is "$mta: four messages on one connection, four answers" \
		"$(answers <<<"$said")" "accept discard reject accept"
	like "$mta: a refusal has a code and an id" "$said" \
		"reply=reject stage=eom code=550 text=\"5.7.1 .*about [0-9A-Za-z]{16}\""
	like "$mta: the tagged one gets headers" "$said" \
		"add=\"X-Postern-Flag: YES\" add=\"X-Postern-Score: 4.5\""
	like "$mta: the queue id is in the log" "$(logged "${mta^^}1: ")" \
		"action=hold .*class=submission login=alice client=192.0.2.7 "
done

said=$(mclient_files "${files[@]}" -- --login alice --repeat 8 --connections 16 --json)
is "16 connections at once: no answer is another's" "$(
	sed -E 's/.*"reply":"([a-z]+)".*"file":"[^"]*\/([a-z]+)".*/\2 \1/' <<<"$said" |
		sort | uniq -c | xargs)" \
	"32 good accept 32 hold discard 32 reject reject 32 tag accept"
is "what was held is there" "$(held_count)" 34

# One connection, other people.
like "a null sender is a notice" "$(mclient --login alice --from "" --queue-id N >/dev/null
	logged "N0: ")" "class=notice .*from=<>"
like "pickup is local" "$(mclient --client 127.0.0.1:0 --from root --queue-id P >/dev/null
	logged "P0: ")" "class=local .*from=<root>"
like "no login is inbound" "$(mclient --queue-id I >/dev/null; logged "I0: ")" \
	"action=accept class=inbound"
like "IPv6" "$(mclient --client 2001:db8::7 --queue-id V6 >/dev/null; logged "V60: ")" \
	"client=2001:db8::7 "
for i in {1..300}; do recipients+=(--rcpt "r$i@remote.example"); done
like "300 recipients are counted" "$(mclient --login alice --queue-id R \
	"${recipients[@]}" >/dev/null
	logged "R0: ")" "nrcpt=300 "
said=$(mclient_files "${files[@]}" -- --login alice --offer-protocol 0 --repeat 4)
is "an MTA that must have replies" "$(answers <<<"$said")" "accept discard reject accept"
like "and knows no leading blanks" "$said" "add=\"X-Postern-Flag: YES\""
answers_is "an MTA of protocol bits of long ago" "accept accept" --login alice \
	--offer-protocol 7f --offer-actions 3f --repeat 2
answers_is "body in small pieces" accept --login alice --size 100000 --raw-chunks 7
answers_is "slowly" accept --login alice --size 1000 --slow 20
done_testing
