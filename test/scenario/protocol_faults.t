#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a machine does to a daemon: no file descriptors, slow clients, reloads
# without end.
SCENARIO_TIME=300
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
needs prlimit
gate_alone 'class submission { hold = 6 reject = 10 }'
mail "hold me" >"$W/hold"
mail "good" >"$W/good"
files_open() { find "/proc/$POSTERND_PID/fd" -type l | wc -l; }
threads() { find "/proc/$POSTERND_PID/task" -mindepth 1 -maxdepth 1 | wc -l; }

# No client is left, and the prefilter is made.
is_idle() {
	local before
	before=$(ls "/proc/$POSTERND_PID/fd")
	sleep 0.5
	[ "$(files_open)" -le "$at_first" ] && [ "$(ls "/proc/$POSTERND_PID/fd")" = "$before" ]
}

# descriptors_left N: posternd, started again, may open so many more when it idles.
descriptors_left() {
	local fd=0 left=$1
	wait_for 30 is_idle
	while [ -e "/proc/$POSTERND_PID/fd/$fd" ] || [ $((left -= 1)) -gt 0 ]; do
		fd=$((fd + 1))
	done
	posternd_stop
	cat >"$W/limited" <<-X
	#!/bin/sh
	exec prlimit --nofile=$((fd + 1)):$((fd + 1)) "$posternd" "\$@"
	X
	chmod +x "$W/limited"
	POSTERND=$W/limited
	posternd_start || bail "posternd starts with $((fd + 1)) descriptors"
	wait_for 10 grep -qs . "$POSTERN/posternd.pid"
	POSTERND=$posternd
}
posternd=$POSTERND

# ---- no file descriptors: those who find no room wait, and are served

logged 'prefilter: ' 20 >/dev/null
at_first=$(files_open)
descriptors_left 12
for ((i = 0; i < 40; i++)); do
	mclient_files "$W/good" -- --login alice --slow $((i % 2 * 300)) &
	clients+=($!)
done >"$W/answers" 2>&1
ok "slow clients hold all of them" wait_for 20 eval \
	'[ "$(files_open)" -ge $((at_first + 12)) ]'
answers_is "a client that comes then is answered in its turn" accept --login alice
wait "${clients[@]}"
is "and so are all 40 of them" "$(grep -c reply=accept "$W/answers")" 40

descriptors_left 1
mclient_files "$W/hold" -- --login alice --queue-id NOFILE >"$W/said"
is "none for the file to be kept: 451" "$(answers <"$W/said")" tempfail
like "and the log says why" "$(logged 'NOFILE0: ')" \
	"action=defer .*note=quarantine:Too.*open.*files"
posternd_stop
posternd_start
mclient_files "$W/hold" -- --login alice >"$W/said"
is "with descriptors again it is held" "$(answers <"$W/said")" discard
is "and in the quarantine, alone" "$(held_count)" 1

# ---- slow clients do not keep quick ones waiting

clients=()
for ((i = 0; i < 40; i++)); do
	mclient_files "$W/good" -- --login alice --slow 1000 >/dev/null 2>&1 &
	clients+=($!)
done
wait_for 20 eval '[ "$(files_open)" -ge $((at_first + 40)) ]'
figures=$(mclient --bench --login alice --connections 4 --total 400)
like "400 messages beside 40 slow clients" "$figures" "messages=400 errors=0 "
running=0
for client in "${clients[@]}"; do
	kill -0 "$client" 2>/dev/null && running=$((running + 1))
done
ok "which are still at theirs ($running of 40)" [ $running -gt 0 ]
{
	kill -9 "${clients[@]}"
	wait "${clients[@]}"
} 2>/dev/null
ok "and vanish: nothing of them is left" wait_for 30 eval \
	'[ "$(files_open)" -le $((at_first + 1)) ] && spool_is_empty'

# ---- reload storm

mclient_files "$W/good" "$W/hold" -- --login alice --connections 4 --repeat 500 \
	>"$W/answers" &
load=$!
for ((i = 0; i < 100; i++)); do
	echo "score TEST_HOLD 7.$i" >"$POSTERN/rules/zz.cf"
	kill -HUP "$POSTERND_PID"
	[ $((i % 10)) != 0 ] || postern reload >>"$W/reloads" 2>&1 || echo "failed" >>"$W/reloads"
done
wait $load
is "100 reloads in a load of 2,000 messages: each is answered" \
	"$(answers <"$W/answers" | xargs -n 1 | sort | uniq -c | xargs)" "1000 accept 1000 discard"
is "each reload that was asked for took place" \
	"$(grep -c '^reloaded' "$W/reloads") $(grep -c failed "$W/reloads")" "10 0"
echo "score TEST_HOLD 8.5" >"$POSTERN/rules/zz.cf"
ok "a last one" postern reload
mclient_files "$W/hold" -- --login alice --queue-id STORM >"$W/said"
like "has its effect" "$(logged 'STORM0: ')" "score=8.5/6 "
ok "no descriptor is left open" wait_for 10 eval \
	'[ "$(files_open)" -le $((at_first + 1)) ]'
ok "no thread is left" wait_for 60 eval '[ "$(threads)" -le 16 ]'
done_testing
