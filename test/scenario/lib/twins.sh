# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# twins -- two messages of one session, one held and shown, one delivered: the
# Received field that rules saw of the first is the one the MTA wrote into the
# second.

# Rules that show it.
twins_rules() {
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
}

# What those rules saw, without what differs between twins.
evidence() {
	python3 -c '
import json, re, sys
for hit in json.load(sys.stdin)["hits"]:
    if hit["rule"].startswith("TRACE_"):
        seen = re.sub(r" id[ =][^\s;]+", " id", hit["evidence"])
        print(re.sub(r"; \S{3}, .*", "; date", seen))'
}

# The message of the sink with the MTA's own field on top, as SpamAssassin gets
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
	is "$1: as the MTA wrote it" "$seen" "$written"
}
