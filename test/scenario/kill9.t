#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 in the middle of a load: each message is with the client (refused),
# in the MTA's queue, at the sink or in the quarantine.  None is lost.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix
workers=8 each=${KILL9_EACH:-25}

# Each worker's messages have numbers; what the client heard is noted by number.
work() {
	local i n
	for ((i = 0; i < each; i++)); do
		n=number-$1-$i.
		case $((i % 3)) in
		0) mail "$n hold me" ;;
		*) mail "$n good" ;;
		esac | send -l alice | sed "s/^/$n /" >>"$W/heard.$1"
	done
}

for ((worker = 0; worker < workers; worker++)); do
	work $worker &
	working+=($!)
done
for pause in 0.4 0.5 0.6; do
	sleep "$pause"
	posternd_kill
	sleep 0.2
	posternd_start
done
wait "${working[@]}"
wait_for 20 postfix_queue_is_empty

total=$((workers * each))
is "the client heard about every message" "$(cat "$W"/heard.* | wc -l)" $total
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
ok "the kills hit something ($refused of $total refused)" [ $refused -gt 0 ]
is "no half-written file is listed" \
	"$(postern quarantine list --json | wc -l)" "$(held_count)"
done_testing
