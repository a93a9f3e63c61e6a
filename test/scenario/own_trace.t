#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rules see the Received field that Postfix will add: twins of one message, one
# held and shown, one delivered, differ in queue id and time alone.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'trusted-networks = {"192.0.2.0/28"}' \
	'class notice { hold = 5 }' 'class local { hold = 5 }'
postfix_set 'mynetworks = 127.0.0.0/8 192.0.2.0/28'
. "$library/twins.sh"
twins_rules

login=$(smtp_auth alice)
twin "by login" "EHLO pc.example" "$login" "MAIL FROM:<alice@test.example>" \
	"RCPT TO:<bob@remote.example>"
like "a login is an auth token" "$(as_delivered | grep -c ESMTPA)" 1
twin "to two" "EHLO pc.example" "$login" "MAIL FROM:<alice@test.example>" \
	"RCPT TO:<bob@remote.example>" "RCPT TO:<eve@remote.example>"
twin "from our network" \
	"XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.7" "EHLO [192.0.2.7]" \
	"MAIL FROM:<alice@test.example>" "RCPT TO:<bob@remote.example>"
twin "with a name" "XCLIENT NAME=web.test.example ADDR=192.0.2.7" \
	"EHLO web" "MAIL FROM:<alice@test.example>" "RCPT TO:<bob@remote.example>"
twin "odd greeting" "EHLO a(b)[1.2.3.4]<c>;d@e\"\\" "$login" \
	"MAIL FROM:<alice@test.example>" "RCPT TO:<bob@remote.example>"
twin "null sender" "EHLO pc.example" "$login" "MAIL FROM:<>" \
	"RCPT TO:<bob@remote.example>"

for kind in "hold me:" delivered; do
	mail "$kind program" |
		postfix_sendmail -i -f alice@test.example bob@remote.example
	logged "class=local" >/dev/null
done
wait_for 10 sink_has "delivered program"
compare "program"

# What is kept and what leaves has nothing of it.
mail "hold me: pure" >"$W/pure"
send -l alice <"$W/pure" >/dev/null
ok "the quarantine has the message as it came" \
	cmp <(postern quarantine show --raw "$(held_ids)") "$W/pure"
done_testing
