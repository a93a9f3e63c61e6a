#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The prefilter: made while mail is served, kept, made again when it is broken
# or other rules come; the same hits with it and without.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix
kept=$POSTERN/state/prefilter
state() { postern status | sed -n 's/.* prefilter=\([a-z]*\).*/\1/p'; }
is_ready() { [ "$(state)" = ready ]; }
made() { logged 'prefilter: ' | sed 's/.*prefilter: //'; }
restart() {
	posternd_stop
	: >"$W/log/posternd"
	posternd_start
	wait_for 60 is_ready
}
hits() { verdict_of "$(mail "$1" | send -l alice)" | grep -oE 'rules=[^ ]*'; }

# A regex that is slow everywhere.
cat >"$POSTERN/rules/slow.cf" <<-'X'
	body SLOW_ONE /(?:[a-z0-9]+[ ,.-]{0,3}){3,12}(?:zebra|gnu|okapi)\b.{0,30}[0-9]/i
	score SLOW_ONE 3
X
chmod 644 "$POSTERN/rules/slow.cf"
restart
ok "it is made in the background" is_ready
like "the log tells what of" "$(made)" '^[0-9]+ of [0-9]+ regexes, [1-9][0-9]* databases \(0 kept\)'
is "it is kept where nobody else reads it" "$(stat -c '%a %U' "$kept")" "600 $POSTERND_USER"
text='hold me, the big grey zebra eats 7 apples'
with=$(hits "$text")
like "rules hit" "$with" 'SLOW_ONE:3'

restart
like "what took long is not made again" "$(made)" ', ([0-9]+) databases \(\1 kept\)'
is "with what was kept: the same hits" "$(hits "$text")" "$with"

for breaking in 'truncate -s -100' 'truncate -s 10' 'truncate -s 0' \
	'sed -i s/libhs/other/'; do
	$breaking "$kept"
	restart
	ok "a broken file ($breaking) is made again" [ "$(stat -c %s "$kept")" -gt 1000 ]
	is "and rules hit the same" "$(hits "$text")" "$with"
done

# What is no file there is not waited for, and no obstacle.
rm "$kept" && mkfifo "$kept"
restart
ok "a pipe in its place is replaced" [ -f "$kept" ]
rm "$kept" && mkdir "$kept"
restart
like "a folder cannot be: it is said" "$(logged 'cannot be kept')" "$kept: .*Is a directory"
is "and rules hit the same" "$(hits "$text")" "$with"
rmdir "$kept"
restart

# Other rules: only they are new.
cat >"$POSTERN/rules/slower.cf" <<-'X'
	body SLOW_TWO /(?:[a-z0-9]+[ ,.-]{0,3}){3,12}(?:apples|pears)\b/i
	score SLOW_TWO 2
X
chmod 644 "$POSTERN/rules/slower.cf"
: >"$W/log/posternd"
is "reload" "$(postern reload >/dev/null && echo good)" good
wait_for 60 is_ready
like "a new rule is looked at, the others are kept" "$(made)" ', ([0-9]+) databases \([0-9]+ kept\)'
like "the new rule hits" "$(hits "$text")" 'SLOW_TWO:2'
with=$(hits "$text")

# Many reloads one after the other: each gives up the one before.
for i in 1 2 3 4 5; do
	echo "body MORE_$i /more $i/" >>"$POSTERN/rules/slower.cf"
	postern reload >/dev/null &
done
wait %2 %3 %4 %5 2>/dev/null
ok "five reloads at once end ready" wait_for 60 is_ready

echo 'prefilter = no' >>"$CONF"
restart_without() {
	posternd_stop
	posternd_start
}
restart_without
is "prefilter = no: none is made" "$(state)" off
is "and rules hit the same" "$(hits "$text")" "$with"
done_testing
