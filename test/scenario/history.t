#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern history: every message is in it as it was decided, and is found by
# each of its fields, as a table, JSON and CSV; nothing that was told is lost.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
needs python3
gate_alone 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }'

# told SUBJECT OPTION...: one message
told() {
	{
		echo "Message-ID: <${1// /-}@mail.example>"
		mail "$1"
	} >"$W/mail"
	shift
	mclient_files "$W/mail" -- "$@" >/dev/null
}

# Until this many are in the file.
history_has() { [ "$(postern history --json --limit 0 | wc -l)" -ge "$1" ]; }
count() { postern history --json --limit 0 "$@" | wc -l; }
field() { sed -nE "s/.*\"$1\": *\"?([^,\"]*).*/\1/p"; }

told "plain words" --login alice --from alice@ours.example --rcpt bob@example.net \
	--client 198.51.100.7 --queue-id PLAIN
told "tag me" --login alice --from alice@ours.example --queue-id TAG
told "defer me" --login alice --from alice@ours.example --queue-id DEFER
told "hold me" --login carol --from carol@ours.example --client 198.51.100.99 --queue-id HOLD
told "reject me" --login carol --from carol@ours.example --rcpt x@a.example \
	--rcpt y@b.example --queue-id REJECT
told "from nobody" --from "" --queue-id NULL --client 203.0.113.5
wait_for 20 history_has 6
is "every message is in it" "$(count)" 6

is "with its action" "$(postern history --json | field action | sort | xargs)" \
	"accept accept defer hold reject tag"
for filter in "1|--action hold" "1|--action reject" "2|--login carol" \
	"2|--sender carol@ours.example" "3|--sender <Alice@OURS.example>" \
	"5|--sender *@ours.example" "1|--sender <>" "1|--to y@b.example" \
	"1|--to bob@example.net" "5|--class submission" "1|--rule TEST_HOLD" \
	"2|--score-min 6" "1|--score-min 6 --score-max 8" "1|--client 198.51.100.7" \
	"2|--client 198.51.100.0/24" "1|--id hold-me@mail.example" \
	"1|--id <hold-me@mail.example>" "0|--id nothing" "6|--since 1h" \
	"0|--until 1h" "0|--since 2030-01-01" "6|--until 2100-01-01T00:00:00Z" \
	"6|--spf *" "5|--class SUBMISSION" "1|--action REJ*" "0|--spf PASS" \
	"1|--id HOLD-ME@mail.example" \
	"1|--subject reject?me" "4|--reason score" "0|--notice dsn" \
	"1|--login alice --action tag" "2|--login carol@mail.test.example" \
	"2|--login Carol@MAIL.test.example" "0|--login carol@ours.example"; do
	# shellcheck disable=SC2086
	is "postern history ${filter#*|}" "$(set -f; count ${filter#*|})" "${filter%%|*}"
done

for none in '' '<>'; do
	is "--id \"$none\" is refused" "$(postern history --id "$none" 2>&1; echo $?)" \
		"postern: --id $none: write a queue id, a lookup id, a quarantine id or a Message-ID
2"
done

like "a word that is no option: it is said what to write" \
	"$(postern history alice@ours.example 2>&1; echo $?)" \
	"alice@ours.example: say what it is: --id, --login.*usage: postern history.*2$"
is "--follow with an end is refused" "$(postern history --follow --until 1h 2>&1; echo $?)" \
	"postern: error: --follow and --until: choose one; --follow shows what comes from now on
2"

held=$(held_ids)
is "the quarantine knows a login by both names, too" "$(for login in carol \
	carol@mail.test.example carol@ours.example; do
	postern quarantine list --json --login "$login" | wc -l
done | xargs)" "1 1 0"
line=$(postern history --json --id "$held")
like "the id of the quarantine finds it" "$line" '"subject": *"hold me"'
like "by queue id" "$(postern history --json --id "$(field queue_id <<<"$line")")" "$held"
like "with what hit, and why" "$line" \
	'"hits": *\[\{"rule": *"TEST_HOLD", *"score": *7.0, *"count": *1, *"evidence": *"Subject: hold me"\}\]'
like "with threshold, class, client and login" "$line" \
	'"place": *"quarantine".*"login": *"carol".*"client": *"198.51.100.99".*"class": *"submission".*"threshold": *6.0'

like "a table" "$(postern history --action hold)" \
	"^TIME +ACTION +SCORE .*hold +7 .*<carol@ours.example> +hold me +TEST_HOLD:7 .*carol +198.51.100.99 +submission +$held"
shown=$("$srcdir/test/scenario/lib/on_terminal" wait:TIME "$POSTERN_PROGRAM" -c "$CONF" history 2>&1 |
	tr -d '\r' | sed -E 's/\x1b\[[0-9;]*m//g')
like "on a terminal of 80 columns" "$shown" \
	$'TIME +ACTION +SCORE +QUEUE-ID +FROM +SUBJECT *\n.*hold +7 +HOLD[0-9]* +<carol@ours.example> +hold me'
is "no line is longer" "$(grep -cE '.{81}' <<<"$shown")" 0
csv=$(postern history --csv --to y@b.example | tr -d '\r')
like "CSV" "$csv" ',submission,20,10,[0-9]+,[0-9.]+,2,"x@a.example y@b.example","TEST_REJECT:20","reject",'
is "its lines end as RFC 4180 has it" \
	"$(postern history --csv | grep -c $'\r$')" 7

# ---- what is done to kept mail

kept() { postern status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["quarantine"]["held"])'; }
is "one is counted" "$(kept)" 1
ok "it is deleted" postern quarantine delete "$held"
is "and counted at once" "$(kept)" 0
event_known() { [ "$(count --action deleted)" = 1 ]; }
ok "the history knows" wait_for 20 event_known
line=$(postern history --json --action deleted)
like "of whose message" "$line" '"sender": *"carol@ours.example"'
like "to whom" "$line" '"rcpt": *\["[^"]*"\], *"nrcpt": *1'
like "and who did it" "$line" "\"by\": *\"${SUDO_USER:-root}\""
like "in columns of their own" "$(postern history --action deleted)" \
	"deleted +- +- +<carol@ours.example> +hold me .* event +$held +${SUDO_USER:-root}"
is "it is found by its sender" "$(count --sender carol@ours.example --action deleted)" 1
is "what it does not know matches nothing" "$(count --spf '*' --action deleted)" 0

ok "nothing found is 1" test "$(postern history --id none >"$W/out"; echo $?)" = 1
while IFS='|' read -r wrong why; do
	# shellcheck disable=SC2086
	out=$(set -f; postern $wrong 2>&1 >/dev/null)
	is "refused: postern $wrong" "$?" 2
	like "with what is allowed" "$out" "$why"
done <<-'X'
	history --spf foo|--spf foo: write none, neutral, pass, fail, softfail, temperror, permerror or unknown
	history --dkim foo|write none, pass, fail, policy, neutral, temperror or permerror
	history --dmarc foo|write none, pass, fail, temperror or permerror
	history --class foo|write submission, local, relay, notice or inbound
	history --action foo|reject, discard, released, released-part, deleted or purged
	history --action foo*|reject, discard, released, released-part, deleted or purged
	history --would released|write accept, tag, defer, hold, reject or discard
	history --notice foo|write none, dsn, delay, .* arf or dmarc
	history --reason foo|write score, timeout, .* or passed-on
	history --client 192.0.2.0/99|write an address, a network
	history --client 192.0.2.300|write an address, a network
	history --client 2001:db8::x|write an address, a network
	history --since 2026-02-29|write an age
	history --until 2026-04-31T10:00|write an age
	history --since 1h --until 2h|no time is between
	history --since 2026-11-02 --until 2026-11-01|no time is between
	history --score-min 5 --score-max 4.9|no score is between
	notices --kind foo|write none, dsn, delay, .* arf or dmarc
	notices --origin foo|write genuine, forged or unknown
	quarantine list --class foo|write submission, local, relay, notice or inbound
	fpfn --from 5 --to 4 none|write a range
	quarantine list --state foo|sound, unsealed, tampered, damaged, foreign
	quarantine list --client 192.0.2.0/99|write an address, a network
	quarantine list --score-min 5 --score-max 4|no score is between
	quarantine list --older 2d --newer 1d|no message is
	quarantine purge --older 2d --newer 1d|no message is
X
for wrong in "--since 5" "--class spam" "--action drop" "--score-min x" \
	"--json --csv" "--limit x" "--since soon" "extra"; do
	# shellcheck disable=SC2086
	ok "wrong: $wrong" test "$(postern history $wrong >"$W/out" 2>&1; echo $?)" = 2
done

# ---- what a stranger wrote is shown safely

told $'gr\xc3\xbc\xc3\x9fe \xff an alle, hold me' --login hanna --queue-id STRAY
stray_known() { [ "$(count --id STRAY0)" = 1 ]; }
ok "a subject with one byte that is no UTF-8 is in it" wait_for 20 stray_known
for command in "history --id STRAY0" "quarantine list --login hanna"; do
	# shellcheck disable=SC2086
	like "$command: it costs no other character" "$(postern $command --json)" \
		'"subject": *"grüße .{1,3} an alle, hold me"'
done

told $'hostile \e]0;title\a \e[2J \x9b31m \xff "quoted",=1+1' --login $'=cmd\e[31m' \
	--from $'\e[1m"<x>"@ours.example' --helo $'helo\e[H' --queue-id HOSTILE
hostile_known() { [ "$(count --id HOSTILE0)" = 1 ]; }
ok "a hostile message is in it" wait_for 20 hostile_known
for form in "history --id HOSTILE0" "history --json --id HOSTILE0" \
	"history --csv --id HOSTILE0" "explain HOSTILE0" "explain --json HOSTILE0"; do
	# shellcheck disable=SC2086
	postern $form >"$W/shown"
	ok "$form: nothing for a terminal to obey" \
		test "$(tr -d '\12\15\40-\176' <"$W/shown" | LC_ALL=C grep -c '[[:cntrl:]]')" = 0
	case $form in
	*--json*) ok "$form: JSON" python3 -c 'import json, sys; json.loads(sys.stdin.buffer.read().decode())' <"$W/shown" ;;
	*--csv*)
		is "$form: CSV" "$(python3 -c 'import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
print(len(rows), len(rows[0]) == len(rows[1]), rows[1][rows[0].index("login")])' "$W/shown")" \
			"2 True '=cmd\\x1b[31m" ;;
	esac
done

# ---- as it comes

process_start follow "$POSTERN_PROGRAM" -c "$CONF" history --follow --login dave --json
follower=$process
wait_for 10 is_alive "$follower"
told "the first" --login erin
told "the second" --login dave --queue-id DAVE
ok "it is shown as it comes" wait_for 20 grep -q '"subject": *"the second"' "$W/log/follow"
is "and nothing else" "$(wc -l <"$W/log/follow")" 1
process_stop "$follower"

# ---- killed, nothing is lost

for i in 1 2 3 4 5 6 7 8; do
	told "number $i" --login frank
done
posternd_kill
posternd_start || bail "posternd starts again"
ok "what was told before a kill -9 is there" wait_for 20 \
	test "$(postern history --json --login frank | wc -l)" = 8

# ---- it names nobody

sed -i '$a history-addresses = hashed' "$CONF"
ok "reload" postern reload
{
	echo "Message-ID: <secret-id@mail.example>"
	mail "hold me, secret words"
} >"$W/mail"
mclient_files "$W/mail" -- --login secret-login --from secret-from@ours.example \
	--rcpt secret-to@dest.example >/dev/null
secret_known() { [ "$(count --sender Secret-From@ours.example)" = 1 ]; }
ok "it is found by its sender" wait_for 20 secret_known
is "by its login" "$(count --login secret-login)" 1
is "by its recipient" "$(count --to secret-to@dest.example)" 1
is "by a domain" "$(count --to '*@dest.example')" 1
is "by its Message-ID" "$(count --id '<secret-id@mail.example>')" 1
is "and by no other" "$(count --sender other@ours.example)" 0
ok "what is done to it is known, too" postern quarantine delete --login secret-login
hidden_known() { [ "$(count --sender Secret-From@ours.example --action deleted)" = 1 ]; }
ok "by its sender" wait_for 20 hidden_known
unlike "but nothing of it is there" \
	"$(postern history --json --limit 2; postern history --csv --limit 2)" "secret"
ok "not in the file either" test "$(grep -ac secret "$POSTERN/state/ledger/memory.mdb")" = 0

# ---- none is wanted

sed -i '$a history-days = 0' "$CONF"
ok "reload" postern reload
told "after that" --login alice
gone() { [ "$(count 2>/dev/null)" = 0 ]; }
ok "without days there is none" wait_for 60 gone
like "and it is said" "$(postern history 2>&1)" "history-days is 0"

# ---- who follows goes on with a new file

sed -i '/^history-days/d' "$CONF"
ok "reload" postern reload
process_start follow2 "$POSTERN_PROGRAM" -c "$CONF" history --follow --csv
wait_for 10 grep -q ^time "$W/log/follow2"
rm "$POSTERN/state/ledger/memory.mdb"
seen_again() { told "a new file" --login gina && grep -q ,message,submission "$W/log/follow2" || ! sleep 1; }
ok "a new file is followed, too" wait_for 60 seen_again
process_stop "$process" >/dev/null
done_testing
