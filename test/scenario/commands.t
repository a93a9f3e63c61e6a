#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What all commands have in common: help on standard output, and output that does
# not get where it should.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
printf '%s\n' 'example.org. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"' \
	'example.org. 300 IN MX 10 mail.example.org.' >"$W/zone"
DNS="{\"file:$W/zone\"}"
gate_alone 'release-via = "/bin/true"' 'egress-addresses = {"192.0.2.1"}'

# ---- help

# helps COMMAND...: says to standard output alone how it is used, and ends with 0
helps() {
	local out
	out=$("$@" 2>"$W/err") && [[ $out == usage:* ]] && [ ! -s "$W/err" ] ||
		{ printf '%s\n' "$? $out"; cat "$W/err"; false; }
}
mapfile -t commands < <("$POSTERN_PROGRAM" help | sed -nE 's/^  ([a-z-]+) .*/\1/p')
ok "there are commands" test "${#commands[@]}" -gt 15
for command in "${commands[@]}" "quarantine list" "quarantine show" "quarantine release" \
	"quarantine delete" "quarantine purge" "ledger show"; do
	for flag in -h --help; do
		# shellcheck disable=SC2086
		ok "postern $command $flag" helps "$POSTERN_PROGRAM" $command $flag
	done
	# shellcheck disable=SC2086
	is "postern help $command says the same" "$("$POSTERN_PROGRAM" help $command)" \
		"$("$POSTERN_PROGRAM" $command --help)"
done
for flag in -h --help help; do
	ok "postern $flag" helps "$POSTERN_PROGRAM" $flag
done
for flag in -h --help; do
	ok "posternd $flag" helps "$POSTERND" $flag
done
ok "help behind other words" helps "$POSTERN_PROGRAM" history --json --sender -h extra --help
for wrong in "" "-x" "nothing" "help nothing" "history --nothing" "quarantine" "quarantine nothing" \
	"quarantine list --nothing" "config -x" "reload now" "status -x"; do
	# shellcheck disable=SC2086
	out=$("$POSTERN_PROGRAM" $wrong 2>"$W/err")
	is "postern $wrong: wrong, and said where errors are" \
		"$? $out $(grep -c . "$W/err" | sed 's/[1-9].*/said/')" "2  said"
done
while IFS='|' read -r wrong says; do
	# shellcheck disable=SC2086
	like "postern $wrong: what to write" "$(postern $wrong 2>&1)" "$says"
done <<X
quarantine lst|quarantine has no verb "lst"
quarantine purge --older 0m|--older 0m: write an age above 0, such as
quarantine list --newer soon|--newer soon: write an age above 0, such as
quarantine list --score-min x|--score-min x: write a number, such as
quarantine list --state broken|--state broken: write sound, unsealed, tampered
quarantine purge --max-size much|--max-size much: write a size, such as
digest --to a@b.example|--to is where a digest is mailed: add --mail
X

# ---- nowhere to write to

for i in {1..30}; do
	mkdir -p "$W/ham" "$W/spam"
	mail "minutes $i" >"$W/ham/$i"
	mail "defer me $i" >"$W/spam/$i"
done
mail "hold me" >"$W/held"
for i in 1 2 3; do
	mclient_files "$W/held" -- --login alice --queue-id "HELD$i" >/dev/null
done
mail "plain" >"$W/plain"
mclient_files "$W/plain" -- --login alice --from alice@ours.example >/dev/null
all_told() {
	[ "$(postern history --json | wc -l)" = 4 ] && postern ledger show alice@ours.example >/dev/null
}
wait_for 20 all_told
postern masscheck --log "$W/log.txt" ham:"$W/ham" spam:"$W/spam" >/dev/null 2>&1
cp "$CONF" "$W/new.conf"
echo 'class submission { hold = 60 }' >>"$W/new.conf"
id=$(held_ids | head -n 1)

# A pipe that nobody reads.
mkfifo "$W/pipe"
exec 8<>"$W/pipe" 9>"$W/pipe" 8>&-

while read -r command; do
	# shellcheck disable=SC2086
	postern $command >/dev/full 2>"$W/err"
	is "full: postern $command" "$? $(grep -ac 'standard output: No space left on device' "$W/err")" "2 1"
	# shellcheck disable=SC2086
	postern $command >&9 2>"$W/err"
	is "nobody reads: postern $command" "$? $(grep -ac 'standard output' "$W/err")" "2 0"
	# shellcheck disable=SC2086
	postern $command 2>"$W/err" >&-
	is "closed: postern $command" "$? $(grep -ac 'standard output: Bad file descriptor' "$W/err")" "2 1"
done <<X
scan $W/held
scan --json $W/ham
profile $W/ham
masscheck --log $W/log.txt ham:$W/ham spam:$W/spam
freqs $W/log.txt
fpfn $W/log.txt
rescore $W/log.txt
what-if --config $W/new.conf
preflight example.org
doctor --posternd
quarantine list
quarantine list --json
quarantine show $id
quarantine show --raw $id
explain $id
history
history --csv
history --json --follow
digest
digest --json
ledger
ledger show alice@ours.example
lint
reload
status
top --json --interval 0.1
config
help
help scan
-V
X
ok "nobody reads: nothing was written over" postern history
"$POSTERND" -t -c "$CONF" >/dev/full 2>"$W/err"
is "full: posternd -t" "$? $(grep -ac 'standard output: No space left' "$W/err")" "2 1"
postern quarantine release --all >&9 2>"$W/err"
is "what was begun is finished" "$? $(held_count)" "2 0"
done_testing
