#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The clock jumps, by hours and by a year, and back: mail is judged, ids do not
# repeat, what is remembered stays, and no budget is used up for good.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/bounce.sh"
shim=$builddir/test/scenario/clock_shim.so
[ -e "$shim" ] || skip_all "needs clock_shim.so (make check builds it)"
is_sanitized && skip_all "a sanitizer wants to be loaded first"

# posternd's own wall clock is that of $W/clock; nobody else's is.
posternd=$POSTERND
cat >"$W/posternd" <<X
#!/bin/sh
export LD_PRELOAD=$shim CLOCK_SHIM=$W/clock
exec "$posternd" "\$@"
X
chmod +x "$W/posternd"
POSTERND=$W/posternd
clock() { echo "$1" >"$W/clock"; }

clock 0
gate_alone "${bounce_options[@]}" 'class submission { hold = 6 reject = 10 }'
mail "hold me" >"$W/hold"
n=0
hour=3600 year=31622400

# judged WHERE: mail of each kind now.
judged() {
	n=$((n + 1))
	is "$1: a message is held" \
		"$(mclient_files "$W/hold" -- --login alice --queue-id "CLOCK$n-" | answers)" discard
	like "$1: in a time that can be" "$(logged "CLOCK$n-0: ")" " ms=[0-9]{1,4}\.[0-9] "
	is "$1: mail comes in" "$(came "a$n@good.example" "$n@good"
		came "v$n@victim.example" "$n@bad"; came "p$n@plain.example" "$n@plain")" \
		$'accept\naccept\naccept'
	is "$1: a notice to who wrote leaves, one to a forged sender does not" \
		"$(bounced "a$n@good.example" "$n@good"
			bounced "v$n@victim.example" "$n@bad")" $'accept\ndiscard'
	is "$1: one of unknown origin leaves once" "$(bounced "p$n@plain.example" "$n@plain"
		bounced "p$n@plain.example" "$n@plain")" $'accept\ndiscard'
}

# remembered WHERE N: what came in then is still known.
remembered() {
	is "$1: who wrote before is known, and who was forged" \
		"$(bounced "a$2@good.example" "$2@good"
			bounced "v$2@victim.example" "$2@bad")" $'accept\ndiscard'
}

judged "at first"
clock $((2 * hour))
judged "two hours on"
remembered "two hours on" 1
is "and no budget is new" "$(bounced p1@plain.example 1@plain)" discard
clock $((-2 * hour))
judged "two hours back"
remembered "two hours back" 1
remembered "two hours back" 2
is "and no budget is new" "$(bounced p1@plain.example 1@plain)" discard
clock $year
judged "a year on"
remembered "a year on" 4
is "the budget of a year ago is new" "$(bounced p1@plain.example 1@plain)" accept
clock $((-year))
judged "two years back"
is "what was used in times to come does not count for ever" \
	"$(bounced p1@plain.example 1@plain)" accept
posternd_stop
clock $year
posternd_start
judged "started a year on"
posternd_stop
clock 0
posternd_start
judged "as it should be"
in_history() { postern history --id CLOCK1-0 && postern history --id "CLOCK$n-0"; }
ok "the history has all of it" wait_for 20 in_history
remembered "as it should be" 6
is "no budget is used up for good" "$(bounced p1@plain.example 1@plain)" accept
posternd_stop
posternd_start
remembered "after a restart" 6
judged "after a restart"

is "each held message is there once, by an id of its own" \
	"$(held_ids | sort -u | wc -l) $(held_count)" "$n $n"
for id in $(held_ids); do
	postern quarantine show "$id" >/dev/null || echo "$id"
done >"$W/said"
is "and can be shown" "$(cat "$W/said")" ""
is "nothing was said to be broken" "$(grep -acE 'broken|keeper was ended' \
	"$W/log/posternd")" 0
done_testing
