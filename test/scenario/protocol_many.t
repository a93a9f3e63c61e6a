#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 1000 connections at once, and 200 messages of 10 MB at once in bounded memory.
SCENARIO_TIME=300
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }'
connections=1000 large=200 size=10000000
is_sanitized && connections=200 large=10
[ "$(df --output=avail -k "$POSTERN/state" | tail -n 1)" -gt 3000000 ] || large=20

sockets() {
	find "/proc/$POSTERND_PID/fd" -lname "socket:*" | wc -l
}
at_first=$(sockets)
figures=$(mclient --bench --login alice --connections $connections --repeat 3 \
	--meet-before eom)
like "$connections connections, all open at once: each message is accepted" \
	"$figures" "messages=$((connections * 3)) errors=0 .*accept=$((connections * 3)) "
figures=$(mclient --bench --login alice --connections 20 --total 2000)
like "2000 connections, one after the other" "$figures" "errors=0 .*accept=2000 "
ok "no connection is left open" wait_for 10 eval \
	'[ "$(sockets)" -lt $((at_first + 10)) ]'

# They meet in front of the end: all are held, none is scanned yet.
figures=$(mclient --bench --login alice --size $size --connections $large \
	--meet-before eom --pid "$POSTERND_PID")
like "$large messages of 10 MB at once: each is accepted" "$figures" \
	"errors=0 .*accept=$large "
peak=$(memory_kb VmHWM)
if is_sanitized; then
	skip "memory" "a sanitizer needs its own"
else
	ok "in less than 600 MB of memory ($peak kB)" [ "$peak" -lt 600000 ]
fi
ok "nothing of them is left" wait_for 10 spool_is_empty
done_testing
