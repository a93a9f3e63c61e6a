#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern profile: what costs most comes first, and what hits is what
# `postern scan` finds.
. "$(dirname "$0")/lib/scenario.sh"
posternd_configure 'class local { filter = no }'
mail=$srcdir/test/mail

cat >"$W/few.cf" <<'END'
full SLOW /[a-z](?:.|\n){0,60}?[0-9]{15}[A-Z]/
body QUICK /\bmessage\b/i
header SUBJECT Subject =~ /e/
header __PART From =~ /@/
meta BOTH QUICK && __PART
body UNSCORED /message/
score UNSCORED 0
body __UNNEEDED /message/
END
profile() { postern profile --rules "$W/few.cf" "$@" 2>"$W/errors"; }
# hits_of < a table: "RULE HITS" of each scored rule that hit.
hits_of() { awk '$2 ~ /^[A-Z]/ && $7 + 0 > 0 {print $2, $7}' | sort; }

profile --prefilter no "$mail" >"$W/table"
is "mail that would be held is no trouble: exit 0" $? 0
is "the slow regex is first" "$(awk '$1 == 1 {print $2, $3, $8}' "$W/table")" \
	"SLOW full $W/few.cf:1"
scan() { postern scan --offline --rules "$W/few.cf" "$@" 2>/dev/null; }
found=$(scan "$mail" | grep -oE '(QUICK|SUBJECT|BOTH|SLOW):' | tr -d : |
	sort | uniq -c | awk '{print $2, $1}')
is "rules hit as often as by scan" "$(hits_of <"$W/table")" "$found"
is "and with a prefilter" "$(profile "$mail" | hits_of)" "$found"
is "a rule that does not run has no row" \
	"$(grep -cE 'UNSCORED|UNNEEDED' "$W/table")" 0
like "what is done for many rules is told apart" "$(cat "$W/table")" \
	'<body text> +view'
messages=$(scan "$mail" | wc -l)
like "the last line adds it up" "$(tail -n 1 "$W/table")" \
	"^$messages messages, [0-9.]+ us each: full [0-9.]+ \([0-9]+%\), "
is "--top" "$(profile --top 2 "$mail" | grep -cE '^ *[0-9]+ ')" 3
is "an mbox on standard input" \
	"$({ echo "From a Mon Jan  1 00:00:00 2024"; mail one; echo
		echo "From b Mon Jan  1 00:00:00 2024"; mail two; } |
		profile --prefilter no - | tail -n 1 | cut -d, -f1)" "2 messages"

# ---- JSON

if command -v jq >/dev/null; then
	profile --json --prefilter no "$mail" >"$W/json"
	is "--json: the slow regex is first" \
		"$(jq -r 'select(.rank == 1) | [.rule, .type, .file, .line] | @tsv' "$W/json" | xargs)" \
		"SLOW full $W/few.cf 1"
	is "the same hits" "$(jq -r 'select(.hits > 0 and (.rule | startswith("_") | not)) |
		"\(.rule) \(.hits)"' "$W/json" | sort)" "$found"
	is "a regex is tried on each message" \
		"$(jq -r 'select(.rule == "SLOW") | .strings' "$W/json")" 1
	is "what is not counted is null" \
		"$(jq -r 'select(.rule == "<body text>") | [.strings, .hits, .file, .line] | unique[]' "$W/json")" null
	is "the last object has the sum" "$(tail -n 1 "$W/json" | jq .messages)" "$messages"
	ok "what the rows took is not more than all" jq -se \
		'([.[] | select(.rule).us] | add) <= .[-1].us + 0.1' "$W/json"
else
	skip "--json" "needs jq"
fi

# ---- what is not counted, and trouble

mkdir "$W/quiet"
printf 'Auto-Submitted: auto-replied\nFrom: a@b.example\n\ntext\n' >"$W/quiet/notice"
postern_quiet() {
	sed 's/^class local.*/class notice { filter = no }/' "$CONF" >"$W/quiet.conf"
	postern profile --config "$W/quiet.conf" --prefilter no "$W/quiet"
}
is "a class without rules is not counted" "$(postern_quiet 2>&1 | tail -n 1)" \
	"0 messages, 0.0 us each; 1 of a class without rules, not counted"
mkdir "$W/nothing"
is "no mail" "$(profile --prefilter no "$W/nothing" | tail -n 1)" "0 messages, 0.0 us each"
profile --prefilter no "$mail/plain.eml" "$W/none" >"$W/table"
is "a file that is not there: exit 2" $? 2
like "it is named" "$(cat "$W/errors")" "$W/none: No such file"
like "the others are told" "$(tail -n 1 "$W/table")" '^1 messages, '
echo 'body BROKEN /(/' >"$W/broken.cf"
postern profile --rules "$W/broken.cf" "$mail/plain.eml" >/dev/null 2>&1
is "a broken rule file: exit 2" $? 2
for bad in 'top=many' 'top=-1' 'prefilter=auto'; do
	is "--$bad is refused" "$(profile "--${bad%%=*}" "${bad#*=}" "$mail" 2>&1
		echo "exit $?"; grep -oE 'write' "$W/errors")" "exit 2
write"
done
profile
is "no mail is named: exit 2" $? 2
done_testing
