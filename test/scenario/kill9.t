#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 in the middle of a load: each message is with the client (refused),
# in the MTA's queue, at the sink or in the quarantine.  None is lost.
# `make kills` does it 100 times.
kills=${KILLS:-3}
SCENARIO_TIME=$((kills * 10 + 120))
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix
workers=8

# Each worker's messages have numbers; what the client heard is noted by number.
# They send as long as there are kills to come, and 25 each at least.
work() {
	local i n
	for ((i = 0; i < 25 || $(wc -l <"$W/kills") < kills; i++)); do
		n=number-$1-$i.
		echo "$n" >>"$W/sent.$1"
		case $((i % 3)) in
		0) mail "$n hold me" ;;
		*) mail "$n good" ;;
		esac | send -l alice | sed "s/^/$n /" >>"$W/heard.$1"
	done
}

# At a moment of its own each: up to a second after mail flows again.
kill_one() {
	local heard
	heard=$(cat "$W"/heard.* | wc -l)
	wait_for 20 eval '[ "$(cat "$W"/heard.* | wc -l)" -gt $((heard + 8)) ]'
	sleep "0.$(printf %03d $((RANDOM % 1000)))"
	posternd_kill
	echo >>"$W/kills"
	posternd_start || bail "posternd starts after $(wc -l <"$W/kills") kills"
}

: >"$W/kills"
for ((worker = 0; worker < workers; worker++)); do
	: >"$W/heard.$worker"
	work $worker 2>/dev/null &
	working+=($!)
done
for ((i = 0; i < kills; i++)); do
	kill_one
done
wait "${working[@]}"
wait_for 60 postfix_queue_is_empty

total=$(cat "$W"/sent.* | wc -l)
is "the client heard about every message" "$(cat "$W"/heard.* | wc -l)" "$total"
cat "$W"/heard.* | awk '$2 == 250 {print $1}' | sort >"$W/taken"
refused=$((total - $(wc -l <"$W/taken")))
{
	grep -rahoE -m 1 'number-[0-9]+-[0-9]+\. (good|hold)' "$W/sink" "$HELD"
	for queued in $(postfix_queue | sed -n 's/.*"queue_id": "\([^"]*\)".*/\1/p'); do
		postcat -c "$POSTFIX/etc" -q "$queued" |
			grep -aoE -m 1 'number-[0-9]+-[0-9]+\. (good|hold)'
	done
} | sort >"$W/found"
cut -d ' ' -f 1 "$W/found" | sort -u >"$W/kept"
is "no message that was taken is lost" "$(comm -23 "$W/taken" "$W/kept")" ""
is "none that was taken is there twice" \
	"$(cut -d ' ' -f 1 "$W/found" | sort | uniq -d | comm -12 - "$W/taken")" ""
is "held mail did not leave" "$(grep -rla 'number.* hold me' "$W/sink")" ""
ok "$kills kills hit something ($refused of $total refused)" [ $refused -gt 0 ]
is "no half-written file is listed" \
	"$(postern quarantine list --json | wc -l)" "$(held_count)"
done_testing
