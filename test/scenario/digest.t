#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The digest of the quarantine: by sender, with lines that release what they name;
# by mail once, never empty, never through the gate, and safe to read.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs "$PYTHON"
gate_with_postfix 'class submission { hold = 6 }' 'class relay { hold = 6 }' \
	'alert-mail = {"admin@remote.example"}' 'alert-from = "postern@test.example"' \
	'alert first-hold { to = {} }'
echo "alert-via = \"smtp:127.0.0.1:$SMTP_PORT\"" >>"$CONF"
printf '%s\n' 'header DIGEST Subject =~ /Postern on|held/' 'score DIGEST 50' \
	>"$POSTERN/rules/zz.cf"
chmod 644 "$POSTERN/rules/zz.cf"
postern reload >/dev/null
decoded() { $PYTHON -c 'import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(m["subject"]); print(m.get_content())' "$1"; }
digests() { grep -lr '^Auto-Submitted: auto-generated' "$W/sink" 2>/dev/null; }
has_digests() { [ "$(digests | wc -l)" -ge "$1" ]; }

for i in 1 2 3; do
	mail "hold me $i" | send -l alice -t bob@remote.example -t eve@remote.example >/dev/null
done
bad=$'\e]0;title\a \xe2\x80\xae caf\xc3\xa9 `reboot` hold me'
mail "$bad" | send -f mallory@test.example -c 127.0.0.1 >/dev/null
wait_for 20 eval '[ "$(held_count)" = 4 ]'

said=$(postern digest)
like "it counts" "$said" "4 messages of 2 senders are held since "
like "by sender, most first" "$said" $'\nalice: 3 messages, .*\n<mallory@test.example>: 1 message, '
like "with scores and recipients" "$said" "score 7  [0-9]+s ago  to <bob@remote.example> and 1 more"
like "subjects that no terminal obeys" "$said" 'x1b\]0;title.x07 .u\{202e\} '
lines=$(grep 'quarantine release' <<<"$said")
is "lines to paste have ids only" "$(sed -E 's/ [0-9A-Za-z]{16}//g' <<<"$lines" | sort -u)" \
	"    postern quarantine release"
json=$(postern digest --json)
is "the same as JSON" "$(json_of "$json" '[(s["sender"], s["messages"]) for s in o["senders"]]')" \
	"[('alice', 3), ('<mallory@test.example>', 1)]"

ok "it is mailed" postern digest --mail
ok "and arrives" wait_for 60 has_digests 1
got=$(digests)
like "from nobody" "$(grep -a ^X-Mail-Args "$got")" "X-Mail-Args: <>"
like "to the admin" "$(grep -a ^X-Rcpt-Args "$got")" "<admin@remote.example>"
like "the gate knew it" "$(logged 'note=letter')" "action=accept .*id=postern"
told_of() { postern history --json | grep -q '"kind": *"letter"'; }
ok "the history has it as what it is" wait_for 20 told_of
like "so it is explained" "$(postern explain "$(logged 'note=letter' | sed -nE 's/.* ([0-9A-Za-z]+): action=.*/\1/p')")" \
	"it is posternd's own letter to the admin"
is "and counted" "$(json_of "$(postern status --json)" 'o["letters"], o["quarantine"]["released"]')" "(1, 0)"
is "no byte of it is beyond ASCII" "$(LC_ALL=C grep -cP '[^\x00-\x7f]|\e' "$got")" 0
text=$(decoded "$got")
like "with a subject" "$text" "^Postern on .*: 4 messages of 2 senders are held"
like "and the text" "$text" $'\nalice: 3 messages'
is "none was held" "$(held_count)" 4

ok "again: there is nothing new" postern digest --mail
mail "just so" | send -l alice >/dev/null
sink_message "just so"
is "and so nothing is sent" "$(digests | wc -l)" 1
like "it says so" "$(postern digest)" "0 messages of 0 senders are held since"
like "but goes back when it is asked to" "$(postern digest --since 1d)" "4 messages of 2 senders"
is "a time that is none is refused" "$(postern digest --since yesterday 2>&1; echo $?)" \
	"postern: --since yesterday: write an age such as 2h or 3d
2"

# What the mail tells the admin to paste works.
release=$(sed -n '/^alice/,$s/^ *postern \(quarantine release .*\)/\1/p' <<<"$text" | head -n 1)
# shellcheck disable=SC2086
ok "its line releases" postern $release
sink_message "hold me 3"
is "those of that sender" "$(held_count)" 1

# No MTA: trouble, and the next one tells it again.
mail "hold me later" | send -l alice >/dev/null
wait_for 20 eval '[ "$(held_count)" = 2 ]'
sed 's|^alert-via.*|alert-via = "smtp:127.0.0.1:1"|' "$CONF" >"$W/broken.conf"
said=$("$POSTERN_PROGRAM" -c "$W/broken.conf" digest --mail 2>&1)
is "without an MTA it fails" $? 2
like "and says why" "$said" "the digest was not sent: .*connect to 127.0.0.1:1"
ok "later" postern digest --mail
ok "it is told all the same" wait_for 60 has_digests 2
sed 's|^alert-mail.*||' "$CONF" >"$W/nobody.conf"
ok "without an address that is no trouble" "$POSTERN_PROGRAM" -c "$W/nobody.conf" digest --mail
ok "an address may be given" "$POSTERN_PROGRAM" -c "$W/nobody.conf" digest --mail --to x@remote.example
is "the stamp is the user's" "$(stat -c '%a %U' "$POSTERN/state/digest")" "600 $POSTERND_USER"
done_testing
