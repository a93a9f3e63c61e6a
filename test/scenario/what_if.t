#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern what-if: whom other thresholds and rules would hold, release or
# reject, by what is kept, by a Maildir, and by the history.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { reject = 15 }'
needs jq

told() { # SUBJECT LOGIN [BODY]
	mail "$1" "${3-Hello.}" >"$W/mail"
	mclient_files "$W/mail" -- --login "$2" --from "$2@ours.example" >/dev/null
}
history_has() { [ "$(postern history --json --limit 0 | wc -l)" -ge "$1" ]; }
what_if() { postern what-if "$@" 2>"$W/errors"; }
# messages OPTION...: "effect before after who" of each that is not as before
messages() { what_if --json "$@" | jq -r 'select(.message) |
	[.effect, .before, .after // "?", .who] | join(" ")' | sort; }
sum() { what_if --json "$@" | tail -n 1 | jq -c "$1"; }

told "plain words" alice
told "tag me" bob
told "hold me" carol
told "hold me" carol
told "hold me tag me" dave
told "reject me" erin
wait_for 20 history_has 6
is "three are held" "$(held_count)" 3
changed() { sed '/^class/d' "$CONF" >"$W/$1.conf"; printf '%s\n' "${@:2}" >>"$W/$1.conf"; }
cp "$CONF" "$W/same.conf"
changed lower 'class submission { hold = 4.5 reject = 15 }'
changed higher 'class submission { hold = 8 reject = 15 }'
changed hard 'class submission { tag = 4 hold = 6 reject = 7 }'

# ---- what is kept: the quarantine

is "the same configuration changes nothing: exit 0" "$(what_if --config "$W/same.conf"; echo $?)" \
	"3 messages: 3 stay as they are
0"
is "a higher threshold releases" "$(messages --config "$W/higher.conf")" \
	"released hold tag carol
released hold tag carol"
what_if --config "$W/higher.conf" >"$W/table"
is "exit 1" $? 1
is "whom, and how many" "$(awk '{$1 = $1; print}' "$W/table")" \
	"WHO RELEASED
carol 2

3 messages: 2 would be released, 1 stay as they are"
is "a lower one rejects" "$(messages --config "$W/hard.conf" | uniq -c | awk '{$1 = $1; print}')" \
	"2 rejected hold reject carol
1 rejected hold reject dave"
cp -r "$POSTERN/rules" "$W/rules"
printf 'score TEST_HOLD 2\nheader NEW Subject =~ /tag me/\nscore NEW 3\n' >"$W/rules/z.cf"
is "other scores, and a new rule that is tried on the text" \
	"$(messages --rules "$W/rules")" \
	"released hold accept carol
released hold accept carol"
like "the rules that made it" "$(what_if --messages --rules "$W/rules" | grep carol)" \
	'hold +accept +7 > 2 +carol +[0-9A-Za-z]{16} +TEST_HOLD 7 > 2'
is "the envelope is that of the quarantine" "$(what_if --json --rules "$W/rules" |
	jq -r 'select(.message) | .class, .recorded' | sort -u | xargs)" "hold submission"
is "nothing was touched" "$(held_count)" 3

# ---- a Maildir, and files

mkdir -p "$W/box/new" "$W/box/cur" "$W/box/tmp"
mail "tag me" >"$W/box/new/1"
mail "plain" >"$W/box/cur/2:2,S"
mail "half" >"$W/box/tmp/3"
is "mail that was sent: it would be held" "$(messages --config "$W/lower.conf" "$W/box")" \
	"held tag hold alice@test.example"
is "with the quarantine, too" "$(sum .messages --quarantine --config "$W/lower.conf" "$W/box")" 5
is "a file that is not there: exit 2" "$(what_if --config "$W/lower.conf" "$W/none" >/dev/null; echo $?)" 2

# ---- the history: by what hit

is "lower: the tagged one would be held" "$(messages --history --config "$W/lower.conf")" \
	"held tag hold bob"
is "hard: three rejected, by hits alone" "$(messages --history --config "$W/hard.conf" |
	uniq -c | awk '{$1 = $1; print}')" \
	"2 rejected hold reject carol
1 rejected hold reject dave"
is "what is kept too is judged by its text, once" \
	"$(sum '[.messages, .history, .rejected]' --history --quarantine --config "$W/hard.conf")" \
	"[3,3,3]"
printf 'score TEST_HOLD 2\n' >"$W/rules/z.cf"
is "other scores" "$(messages --history --rules "$W/rules")" \
	"released hold accept carol
released hold accept carol"
printf 'header NEW Subject =~ /x/\nscore NEW 1.5\n' >"$W/rules/z.cf"
is "a new rule: only where it might decide it cannot be known" \
	"$(messages --history --rules "$W/rules")" "unknown tag ? bob"
what_if --history --rules "$W/rules" >"$W/table"
like "it is said how many" "$(cat "$W/table")" \
	'6 of the history: 5 stay as they are, 1 cannot be judged without their text'
like "and why" "$(cat "$W/table")" '1 scored rules are new or changed; the history does not tell'
is "of that time" "$(sum .history --history --since 2100-01-01 --config "$W/lower.conf")" 0

# ---- what is asked wrongly

is "nothing changes: exit 2" "$(what_if >/dev/null; echo $?; grep -c 'what is to change' "$W/errors")" "2
1"
echo 'body BROKEN /(/' >"$W/rules/z.cf"
is "broken rules: exit 2" "$(what_if --rules "$W/rules" >/dev/null; echo $?)" 2
for bad in top=x jobs=0 since=never; do
	what_if --history --config "$W/same.conf" "--${bad%%=*}" "${bad#*=}" >/dev/null
	is "--$bad is refused" "$? $(grep -c write "$W/errors")" "2 1"
done
while IFS='|' read -r bad why; do
	# shellcheck disable=SC2086
	what_if --config "$W/same.conf" $bad >/dev/null
	is "$bad: refused" "$? $(grep -c -- "$why" "$W/errors")" "2 1"
done <<-X
	--since 2d|add --history
	--quarantine --until 2d|add --history
	--history --since 1h --until 2h|no time is between
	--json --top 5|leave out one
X
done_testing
