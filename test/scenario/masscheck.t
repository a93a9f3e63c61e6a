#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern masscheck: one line a message, whatever happens to the run, and no
# message twice.
. "$(dirname "$0")/lib/scenario.sh"
posternd_configure 'scan-time = 50ms' 'match-limit = 100000000'
needs flock

cat >"$W/few.cf" <<'END'
header LURE Subject =~ /lure/
score LURE 3
header KIND Subject =~ /kind/
tflags KIND nice
score KIND -1.5
body WORD /\bword\b/
tflags WORD multiple
score WORD 0.25
meta __BOTH LURE && WORD
score NOT_RUN 0
body NOT_RUN /word/
END
mkdir -p "$W/ham/cur" "$W/ham/new" "$W/ham/tmp" "$W/spam"
for i in 1 2 3; do mail "kind $i" >"$W/ham/new/$i"; done
mail "lure" "word and word" >"$W/spam/a file"
{ echo "From a Mon Jan  1 00:00:00 2024"; mail "lure"; echo
	echo "From b Mon Jan  1 00:00:00 2024"; mail "other"; } >"$W/spam/mbox"
log=$W/log.txt
masscheck() { postern masscheck --rules "$W/few.cf" --log "$log" "$@" 2>"$W/errors"; }
both() { masscheck "ham:$W/ham" "spam:$W/spam" "$@"; }
# lines WORD...: how many records begin so.
lines() { grep -cE "^($1) " "$log"; }
has() { grep -qE -- "$1" "$log"; }
whole() { ! grep -vqE '^(start|rule|ham|spam|fail|cost) .* \.$' "$log"; }

said=$(both)
is "exit 0" $? 0
like "the sum is told" "$said" '^rules [0-9a-f]{16}: 3 ham and 3 spam in [0-9.]+ s$'
is "one line a message" "$(lines 'ham|spam')" 6
ok "every line is whole" whole
ok "hits, how often, score, file" has \
	'^spam .* class=submission score=3\.500 size=[0-9]+ us=[0-9]+ hits=LURE,WORD\*2 file=[^ ]*/spam/a\\x20file \.$'
ok "messages of an mbox by number" has ' hits=- file=[^ ]*/mbox:2 \.$'
is "the rules that are run, with their scores" \
	"$(sed -nE 's/^rule .* name=([^ ]*) .* score=([^ ]*) .*/\1 \2/p' "$log" | xargs)" \
	"KIND -1.500 LURE 3.000 WORD 0.250"
ok "what they cost" has '^cost .* name=LURE ns=[0-9]+ messages=[0-9]+ \.$'

# ---- what is in the log is not run again

like "a second time nothing is run" "$(both)" ': 0 ham and 0 spam .*; 6 were in the log$'
is "and nothing is written" "$(lines start)" 1
mv "$W/ham/new/1" "$W/ham/cur/1:2,S"
mail "lure too" >"$W/spam/new"
like "a Maildir's file is known again, a new one is run" "$(both)" \
	': 0 ham and 1 spam .*; 6 were in the log$'
mail "other text" "that is longer than what was there" >"$W/spam/new"
like "a changed one is run" "$(both)" ': 0 ham and 1 spam .*; 6 were'
like "what has moved to the other side is run" \
	"$(masscheck "spam:$W/ham/new/2")" ': 0 ham and 1 spam'
like "named twice it is run once" "$(masscheck "ham:$W/ham/new/2" "ham:$W/ham/new/2" \
	"ham:$W/ham/cur/../new/3")" ': 2 ham and 0 spam'
echo 'score LURE 3.5' >>"$W/few.cf"
like "other rules, other hash: all are run" "$(both)" ': 3 ham and 4 spam in'
is "two rule sets in the log" "$(sed -nE 's/^start rules=([^ ]*) .*/\1/p' "$log" | sort -u | wc -l)" 2
first=$(sed -nE 's/^start rules=([^ ]*) .*/\1/p' "$log" | head -n 1)
sed -i '$d' "$W/few.cf"
like "the first rules again: nothing is run" "$(both)" "^rules $first: 0 ham and 0 spam"
like "sub-rules are another run" "$(both --subs)" ': 3 ham and 4 spam'
ok "with them" has 'hits=LURE,WORD\*2,__BOTH file='
like "so is another class" "$(both --class local)" ': 3 ham and 4 spam'
like "formats of mass-check may be named" "$(masscheck "ham:dir:$W/ham" "spam:mbox:$W/spam/mbox")" \
	': 0 ham and 0 spam .*; 5 were'

# ---- trouble

printf '' >"$W/spam/empty"
both >"$W/out"
is "a message without a result: exit 2" $? 2
like "it is named" "$(cat "$W/errors")" "spam/empty: it is empty"
like "it is logged" "$(tail -n 20 "$log")" 'fail .* why=it\\x20is\\x20empty file=.*empty \.'
like "and counted" "$(cat "$W/out")" '; 1 have no result'
rm "$W/spam/empty"
for i in {1..60}; do echo "full SLOW$i /(?:a+)+(?:b|c)/"; done >"$W/slow.cf"
mail "slow" "$(head -c 4000 /dev/zero | tr '\0' a)" >"$W/slow"
is "one that takes too long has no result" "$(postern masscheck --rules "$W/slow.cf" \
	--log "$log" "spam:$W/slow" 2>&1 | grep -c 'slow: out of time\|1 have no result')" 2
ok "it is logged, too" has 'fail .* why=out\\x20of\\x20time.* file=.*slow \.'

before=$(lines 'ham|spam')
sed -i '$d' "$log"; printf 'spam rules=%s class=submission score=1 si' "$first" >>"$log"
both >/dev/null
ok "behind a line that a crash has cut a new one begins" \
	grep -qE '^spam rules=[^ ]* class=submission score=1 si$' "$log"
is "no record is lost by it" "$(lines 'ham|spam')" $((before + 1))
flock "$log" true
is "two at once are refused" "$(flock "$log" "$POSTERN_PROGRAM" -c "$CONF" masscheck \
	--rules "$W/few.cf" --log "$log" "ham:$W/ham" 2>&1; echo $?)" \
	"postern: $log: another masscheck is writing to it
2"
is "a log that cannot be made" "$(postern masscheck --log "$W/none/log" "ham:$W/ham" 2>&1 |
	grep -c 'No such file')" 1
is "a pipe is no log" "$(mkfifo "$W/pipe"; postern masscheck --log "$W/pipe" "ham:$W/ham" 2>&1 |
	grep -c 'it is not a file')" 1
cp "$W/ham/cur/1:2,S" "$W/letter"
is "nor is a letter, which stays as it is: exit 2" "$(postern masscheck --log "$W/letter" "ham:$W/ham" 2>&1
	echo $?; cmp "$W/letter" "$W/ham/cur/1:2,S")" "postern: $W/letter: it is no log of postern masscheck
2"
for bad in 'jobs=0' 'class=none'; do
	is "--$bad is refused" "$(masscheck "--${bad%%=*}" "${bad#*=}" "ham:$W/ham"
		echo "$? $(grep -c write "$W/errors")")" "2 1"
done
masscheck "$W/ham"
is "neither ham nor spam: exit 2" $? 2
like "what to write" "$(cat "$W/errors")" 'write ham:PATH or spam:PATH'

# ---- Ctrl-C: as many messages as it takes to be in the middle

n=5000
while :; do
	rm -f "$log"
	for ((i = 0; i < n; i++)); do
		printf 'From a Mon Jan  1 00:00:00 2024\nSubject: lure %d\n\nword\n\n' $i
	done >"$W/many"
	"$POSTERN_PROGRAM" -c "$CONF" masscheck --rules "$W/few.cf" --log "$log" \
		--jobs 2 "spam:$W/many" >"$W/out" &
	child=$!
	until grep -q '^spam' "$log" 2>/dev/null || ! kill -0 $child 2>/dev/null; do
		sleep 0.01
	done
	kill -INT $child
	wait $child
	status=$?
	[ $status = 0 ] || break
	n=$((n * 4)) # an idle host was too fast
done
is "stopped: exit 2" "$status" 2
like "it says so" "$(cat "$W/out")" 'stopped, [0-9]+ are left: the same command goes on'
ok "the log is whole" whole
some=$(lines spam)
ok "in the middle" [ "$some" -lt $n ]
ok "costs of what was done are there" has '^cost .* name=LURE '
like "it goes on" "$(masscheck "spam:$W/many")" ": 0 ham and $((n - some)) spam .*; $some were in the log"
is "each message once" "$(grep -oE 'many:[0-9]+' "$log" | sort -u | wc -l)" $n
done_testing
