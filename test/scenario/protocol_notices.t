#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The notice gate at the socket: what it answers, what survives a restart and
# kill -9, and what it does when its memory or the quarantine is broken.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/bounce.sh"
gate_alone "${bounce_options[@]}"
LEDGER=$POSTERN/state/ledger

is "mail comes in" "$(came a@good.example 1@good; came v@victim.example 1@bad
	came p@plain.example 1@plain)" $'accept\naccept\naccept'
like "it is judged, and nothing else" "$(logged 'from=<v@victim.example>')" \
	"action=accept class=inbound .*spf=fail dkim=none dmarc=none\$"
is "a notice to who wrote leaves" "$(bounced a@good.example 1@good)" accept
is "one to a forged sender does not" "$(bounced v@victim.example 1@bad)" discard
is "one of unknown origin leaves once" \
	"$(bounced p@plain.example 1@plain; bounced p@plain.example 1@plain)" $'accept\ndiscard'
is "what does not leave is kept apart" \
	"$(find "$HELD/.discarded/new" -type f | wc -l) $(held_count)" "2 0"

said=$(postern digest)
like "the digest says for what" "$said" \
	$'2 notices were discarded:\n  1 to forged senders\n  1 of unknown origin that were over a budget\n'
like "as JSON by reason" "$(postern digest --json)" \
	'"discarded": *2, *"discarded_for": *\{"forged": *1, *"budget-addressee": *1\}'
like "the id of what is kept is told" "$(postern notices --origin forged --explain)" \
	"quarantine id: [0-9A-Za-z]{16}"

# ---- it is remembered

remembered() {
	is "$1: who wrote is known" "$(bounced a@good.example 1@good)" accept
	is "$1: who was forged, too" "$(bounced v@victim.example 1@bad)" discard
	is "$1: so are the budgets" "$(bounced p@plain.example 1@plain)" discard
}
posternd_stop
posternd_start
remembered "after a restart"
is "kill -9 right behind a message" "$(came b@good.example 2@good)" accept
posternd_kill
posternd_start
remembered "after kill -9"
is "and the last message before it" "$(bounced b@good.example 2@good)" accept
pkill -9 -P "$POSTERND_PID"
sleep 2
remembered "after kill -9 of the keeper"

# ---- the file breaks while mail flows

told=0
breaks() {
	told=$((told + 1))
	is "$1: mail comes in" "$(came c@good.example "$2")" accept
	ok "$1: it is said, with what was done" \
		wait_for 10 eval '[ "$(grep -ac " is broken " "$W/log/posternd")" = $told ]'
	ok "$1: and remembered again" wait_for 15 eval \
		"came c@good.example $2 >/dev/null; [ \"\$(bounced c@good.example $2)\" = accept ]"
	ok "$1: the broken one is still there" \
		eval "ls '$LEDGER' | grep -q broken"
	rm -f "$LEDGER"/*broken*
}
file=$(find "$LEDGER" -type f -size +16k | head -n 1)
truncate -s 5000 "$file"
breaks "cut short" 3@good
file=$(find "$LEDGER" -type f -size +16k | head -n 1)
dd if=/dev/urandom of="$file" bs=4096 count=200 conv=notrunc status=none
breaks "overwritten" 4@good
posternd_stop
file=$(find "$LEDGER" -type f -size +16k | head -n 1)
dd if=/dev/urandom of="$file" bs=4096 seek=2 count=200 conv=notrunc status=none
posternd_start
breaks "overwritten before the start" 5@good
keepers=$(pgrep -P "$POSTERND_PID"; pgrep -P "$(pgrep -d, -P "$POSTERND_PID")")
# shellcheck disable=SC2086
kill -STOP $keepers
is "the keeper hangs: mail comes in" "$(came c@good.example 6@good)" accept
is "what cannot be judged is not let out, nor refused" \
	"$(bounced r@plain.example 6@plain)" discard
like "but held" "$(logged 'to=<r@plain.example>')" "action=hold .*reason=no-budget-known"
is "and it is said once that nothing answers" \
	"$(grep -ac 'the keeper does not answer' "$W/log/posternd")" 1
# shellcheck disable=SC2086
kill -CONT $keepers
ok "and that it answers again" wait_for 10 eval 'bounced v@victim.example 6@bad >/dev/null
	grep -aq "the keeper answers again" "$W/log/posternd"'

# ---- options, loops, and a quarantine that is full

came v@victim.example 7@bad >/dev/null
{
	cat "$CONF"
	printf '%s\n' 'observe = yes'
} >"$CONF.new"
cat "$CONF.new" >"$CONF"
postern reload >/dev/null
is "with observe everything leaves" "$(bounced v@victim.example 7@bad)" accept
like "and is told" "$(logged 'would=discard')" "action=accept would=discard .*reason=forged"
observed() { postern notices --explain --limit 1 >"$W/observed" && grep -q 'would discard' "$W/observed"; }
ok "the history has it" wait_for 20 observed
like "under the id of the log" "$(cat "$W/observed")" "lookup id: [0-9A-Za-z]{16}"
unlike "nothing was kept" "$(cat "$W/observed")" "quarantine id"
sed -i 's/^observe = yes/notice-over-budget = hold/' "$CONF"
postern reload >/dev/null
is "past the budget" "$(bounced q@plain.example 7@a; bounced q@plain.example 7@b)" \
	$'accept\ndiscard'
like "held, as configured" "$(logged 'to=<q@plain.example>.*budget')" \
	"action=hold .*reason=budget-addressee"
sed -i 's/^notice-over-budget.*/notice-gate = no/' "$CONF"
postern reload >/dev/null
is "with notice-gate = no all leave" "$(bounced v@victim.example 7@bad)" accept
sed -i '/^notice-gate/d' "$CONF"
postern reload >/dev/null
chattr +i "$HELD/.discarded/tmp" 2>/dev/null || mv "$HELD" "$HELD.gone"
like "nowhere to keep it: the MTA holds it, nobody refuses it" \
	"$(bounced v@victim.example 7@bad; mclient_files "$W/out" -- --client 127.0.0.1:0 \
		--from '' --rcpt v@victim.example)" "^accept.*reply=accept.*quarantine="
like "and so says the log" "$(logged 'note=quarantine')" "action=hold .*origin=forged"
chattr -i "$HELD/.discarded/tmp" 2>/dev/null || true
[ -d "$HELD" ] || mv "$HELD.gone" "$HELD"
ok "posternd is alive" is_alive "$POSTERND_PID"
done_testing
