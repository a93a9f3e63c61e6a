#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What posternd counts: Prometheus's text over a unix socket and over loopback,
# and `postern status`; mail and stopping do not wait for who asks.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs curl "$PYTHON"
socket=$W/postern/metrics.sock
gate_alone 'class submission { tag = 4 hold = 6 reject = 10 }' \
	"metrics-socket = \"$socket\"" 'metrics-mode = 0640'
get() { curl -sS --max-time 20 --unix-socket "$socket" "$@"; }
scrape() { get http://localhost/metrics; }
read_strictly() { $PYTHON "$srcdir/test/scenario/lib/exposition"; }

wait_for 20 socket_is_open "$socket" # it comes after the milter's
is "the socket has the mode that was asked for" "$(stat -c '%a %U' "$socket")" \
	"640 $POSTERND_USER"
like "the page says what it is" "$(get -i http://localhost/metrics)" \
	$'^HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4'
ok "before any mail it is well-formed" eval 'scrape | read_strictly'

for subject in good good 'tag me' 'hold me' 'hold me' 'reject me'; do
	mail "$subject" >"$W/mail"
	mclient_files "$W/mail" -- --login alice --rcpt a@remote.example \
		--rcpt b@remote.example >/dev/null
done
mail good >"$W/mail"
mclient_files "$W/mail" -- --client 192.0.2.1 >/dev/null
scrape >"$W/page"
read_strictly <"$W/page" >"$W/samples" 2>&1
result $? "after some it is" "$(cat "$W/samples")"
counted() { is "$1" "$(grep -F "$2" "$W/samples")" "$2 $3"; }
counted "accepted mail is counted by class" \
	'postern_messages_total{action="accept",class="submission"}' 2
counted "so is tagged" 'postern_messages_total{action="tag",class="submission"}' 1
counted "held" 'postern_messages_total{action="hold",class="submission"}' 2
counted "rejected" 'postern_messages_total{action="reject",class="submission"}' 1
counted "and what comes in" \
	'postern_messages_total{action="accept",class="inbound"}' 1
counted "hits are counted by rule" 'postern_rule_hits_total{rule="TEST_HOLD"}' 2
counted "times to the verdict" 'postern_verdict_seconds_count{}' 7
counted "and to the answer" 'postern_answer_seconds_count{}' 7
counted "the quarantine has its messages" \
	'postern_quarantine_messages{folder="held"}' 2
like "and bytes" "$(grep 'postern_quarantine_bytes{folder="held"}' "$W/samples")" \
	" [1-9][0-9]{2,}"
like "the ledger has a size" "$(grep ^postern_ledger_bytes "$W/samples")" " [1-9]"
counted "no connection is left" 'postern_connections{}' 0
example=$(sed -n 's/^\.Dl # \(curl .*\)/\1/p' "$srcdir/man/posternd.8")
ok "the manual's line works" eval \
	'sh -c "${example//\/run\/postern/$POSTERN}" | read_strictly'
if command -v promtool >/dev/null; then
	ok "promtool has no complaint" eval 'promtool check metrics <"$W/page"'
else
	skip "promtool has no complaint" "needs promtool (package prometheus)"
fi

# ---- a server of one page

code() { get -o /dev/null -w '%{http_code}' "$@"; }
is "another page is not there" "$(code http://localhost/)" 404
is "nothing can be put" "$(code -X POST -d x http://localhost/metrics)" 405
is "a head is a head" "$(get -I http://localhost/metrics | head -n 1 | tr -d '\r')" \
	"HTTP/1.1 200 OK"
is "a header without end is refused" \
	"$(code -H "X: $(head -c 8000 /dev/zero | tr '\0' x)" http://localhost/metrics)" 431

# Clients that say nothing: the page waits for them at most, and mail does not.
$PYTHON - "$socket" <<-'X' &
	import socket, sys, time
	all = []
	for _ in range(12):
	    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); all.append(s)
	    s.send(b"GET /metrics HTTP")
	time.sleep(60)
	X
silent=$!
at_exit "process_stop $silent"
answers_is "mail goes on while they are silent" "accept" --login alice
page_is_back() { scrape 2>/dev/null | grep -q postern_build_info; }
ok "and so does the page, a little later" wait_for 60 page_is_back
kill "$silent"

# ---- postern status

like "status is one line in a pipe" "$(postern status)" \
	"^version=[^ ]+ .* rules=[0-9]+ .* prefilter=[a-z]+ .*actions-submission-hold=2 .*dns-asked=0 .*quarantine-held=2 "
status=$(postern status --json)
is "and an object" "$(json_of "$status" 'o["actions"]["submission"]["reject"]')" 1
is "with the hits" "$(json_of "$status" 'o["rule_hits"]["TEST_HOLD"]')" 2
# these fade: a turn of the window may fall in between
is "with the senders" "$(json_of "$status" \
	'[(s["sender"], 0 < s["stopped"] <= 3, 0 < s["recipients"] <= 13) for s in o["senders"]]')" \
	"[('alice', True, True)]"
ok "on a terminal a page" eval \
	'script -qec "\"$POSTERN_PROGRAM\" -c \"$CONF\" status" /dev/null | grep -aq "up "'
echo 'body BAD /(/' >"$POSTERN/rules/zz.cf"
postern reload >/dev/null 2>&1
rm "$POSTERN/rules/zz.cf"
postern reload >/dev/null 2>&1
scrape | read_strictly >"$W/samples"
counted "reloads are counted" 'postern_reloads_total{result="done"}' 1
counted "refused ones, too" 'postern_reloads_total{result="refused"}' 1
counted "hits outlive a reload" 'postern_rule_hits_total{rule="TEST_HOLD"}' 2

# ---- loopback only

posternd_stop
ok "the socket goes with posternd" eval '! [ -e "$socket" ]'
port_free
sed -i "s|^metrics-socket.*|metrics-socket = \"127.0.0.1:$port\"|" "$CONF"
ok "at a loopback address" posternd_start
wait_for 20 port_is_open "$port"
ok "it is the same page" eval \
	'curl -sS "http://127.0.0.1:$port/metrics" | read_strictly'
posternd_stop
sed -i "s|^metrics-socket.*|metrics-socket = \"0.0.0.0:$port\"|" "$CONF"
like "any other address is refused" "$("$POSTERND" -t -c "$CONF" 2>&1)" \
	"metrics-socket: .*not an absolute path .*a loopback address"
done_testing
