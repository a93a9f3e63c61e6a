#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rules see the Received field that Postfix will add: twins of one message, one
# held and shown, one delivered, differ in queue id and time alone.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'trusted-networks = {"192.0.2.0/28"}' \
	'class notice { hold = 5 }' 'class local { hold = 5 }'
postfix_set 'mynetworks = 127.0.0.0/8 192.0.2.0/28'
cat >"$POSTERN/rules/trace.cf" <<'X'
header TRACE_LINE Received =~ /^.+/
header TRACE_HOP  X-Spam-Relays-Trusted =~ /^.+/
header TRACE_OUT  X-Spam-Relays-Untrusted =~ /^.+/
score TRACE_LINE 0.001
score TRACE_HOP 0.001
score TRACE_OUT 0.001
X
kill -HUP "$POSTERND_PID"
wait_for 5 grep -q reload "$W/log/posternd"

# What those rules saw, without what differs between twins.
evidence() {
	python3 -c '
import json, re, sys
for hit in json.load(sys.stdin)["hits"]:
    if hit["rule"].startswith("TRACE_"):
        seen = re.sub(r" id[ =][^\s;]+", " id", hit["evidence"])
        print(re.sub(r"; \S{3}, .*", "; date", seen))'
}

# The message of the sink with Postfix's own field on top, as SpamAssassin gets
# it.
as_delivered() {
	sed -nE '/^Received: .*/,$p' "$got" |
		awk 'skipped || (/^Received: / && n++) { skipped = 1; print }'
}

# twin NAME STEP...: both twins of one session up to MAIL and RCPT.
twin() {
	local name=$1 kind
	shift
	for kind in "hold me:" delivered; do
		mail "$kind $name" >"$W/twin"
		printf '%s\n' "$@" DATA "@$W/twin" QUIT | smtp "$SMTP_PORT" \
			>"$W/said"
	done
	compare "$name"
}

compare() {
	local id seen written
	id=$(held_ids | head -n 1)
	seen=$(postern quarantine show --json "$id" | evidence)
	postern quarantine delete "$id" >/dev/null
	sink_message "delivered $1"
	as_delivered >"$W/delivered"
	written=$(postern scan --offline --json "$W/delivered" | evidence)
	like "$1: it is shown" "$seen" "Received: "
	is "$1: as Postfix wrote it" "$seen" "$written"
}

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
