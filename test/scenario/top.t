#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `postern top`: rounds of text and JSON in a pipe, a live page on a terminal that
# is left as it was.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs "$PYTHON"
gate_alone 'class submission { tag = 4 hold = 6 reject = 10 }'
wait_for 20 socket_is_open "$POSTERN/control.sock" # it comes after the milter's
escape=$'\033'
mail "hold me" >"$W/held"
mail "good" >"$W/good"
mclient_files "$W/good" -- --login alice --repeat 5 --total 5 >/dev/null
mclient_files "$W/held" -- --from "m${escape}[31mallory@test.example" \
	--client 127.0.0.1 >/dev/null

said=$(postern top --once)
is "one round in a pipe" "$?" 0
like "has messages a second" "$said" "messages/s +0.0 "
like "actions" "$said" "accept 0.0 .*hold 0.0 "
like "times" "$said" "verdict +p50 .*p99 "
like "the DNS" "$said" "dns/s +asked 0.0 "
like "senders" "$said" " [1-5] +0 +[1-5] +alice"
like "whose names no terminal obeys" "$said" ' [01] +[01] +[01] +<m\\x1b\[31mallory@'
like "and rules" "$said" " 0.0 +1 +TEST_HOLD"

mclient_files "$W/good" -- --login bob --connections 1 --total 100000 --repeat 100 \
	>/dev/null 2>&1 &
load=$!
busy() { json_of "$(postern top --once --interval 0.3 --json)" 'o["messages_per_s"] > 0' | grep -q True; }
ok "it sees what is going on" wait_for 60 busy
kill $load
said=$(postern top --rounds 2 --interval 0.2 --json)
is "so many rounds, a line each" "$(wc -l <<<"$said")" 2
is "with all rules" "$(json_of "$said" '[r["hits"] for r in o["rules"] if r["rule"] == "TEST_HOLD"]')" "[1]"
ok "a closed pipe ends it" timeout 60 bash -c \
	"'$POSTERN_PROGRAM' -c '$CONF' top --interval 0.1 | head -n 1"
is "what is no interval is refused" \
	"$(postern top --interval 0 2>&1; echo $?)" \
	"postern: --interval 0: write seconds, from 0.1 to 3600
2"

# ---- on a terminal

top() { "$srcdir/test/scenario/lib/on_terminal" "$1" "$POSTERN_PROGRAM" -c "$CONF" top "${@:2}" 2>&1; }
said=$(top "wait:alice wait:messages/s size:12x50 wait:messages/s key:x wait:messages/s key:q")
like "q ends it" "$said" $'\nexit 0\n'
like "the terminal is as it was" "$said" "terminal as before"
like "with its text and cursor" "$said" "${escape}\[\?25h${escape}\[\?1049l"
unlike "no sender colours the page" "$said" "m${escape}\[31mallory"
last=${said%"${escape}[?25h"*}
last=${last##*"${escape}[H"}
is "a page is no longer than the terminal" "$(tr -cd '\n' <<<"$last" | wc -c)" 12
said=$(top "wait:alice signal:INT")
like "so does Ctrl-C" "$said" $'\nexit 0\n'
like "the terminal is as it was, too" "$said" "terminal as before"
said=$(top "wait:alice signal:TSTP wait:1049l stopped signal:CONT wait:1049h wait:alice signal:TERM")
like "it can be stopped and goes on" "$said" $'\nexit 0\nterminal as before'
said=$(top "wait:alice" --rounds 2 --interval 0.1)
like "after so many rounds it ends" "$said" $'\nexit 0\nterminal as before'

posternd_stop
like "without posternd it says so" "$(postern top --once 2>&1; echo $?)" \
	$'posternd does not answer at .*\n2'
like "on a terminal, too" "$(top "wait:not" </dev/null)" \
	$'posternd does not answer.*\nexit 2\nterminal as before'
done_testing
