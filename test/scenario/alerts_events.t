#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each event that an alert can tell of, by a command: a key that is not the
# published one, a full quarantine, a DNS that does not answer.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs openssl "$PYTHON"
cat >"$W/program" <<-X
	#!/bin/sh
	cat >>$W/told
	X
chmod 755 "$W/program"
touch "$W/told"
chmod 666 "$W/told"
told() { grep -o "\"event\":\"$1\".*" "$W/told"; }

echo 'test.example. 300 IN TXT "v=spf1 -all"' >"$W/zone"
POSTERN=$W/postern
mkdir -p "$W/dkim"
dkim_keys_make test.example sel
DNS="{\"file:$W/zone\"}" gate_alone "alert-command = \"$W/program\"" 'alert-delay = 0s' \
	'alert-window = 2s' 'alert-least = 1' 'alert first-hold { to = {} }' \
	'alert hold-rate { to = {} }' \
	'quarantine-size = 1M' 'alert-quarantine-percent = 1' \
	"dkim-key-table = \"$W/dkim/KeyTable\"" \
	"dkim-signing-table = \"refile:$W/dkim/SigningTable\"" \
	"login-map = {\"$W/dkim/logins\"}"
mail good >"$W/good"
mclient_files "$W/good" -- --login alice --from alice@test.example >/dev/null
ok "a key that is not published is told of" wait_for 60 told key-mismatch
like "by its name" "$(told key-mismatch)" '"key":"sel._domainkey.test.example"'
like "and what is wrong" "$(told key-mismatch)" 'published record is missing'

is "the quarantine is not full yet" "$(told quarantine-full)" ""
mail "hold me" "$(head -c 20000 /dev/zero | tr '\0' x | fold -w 70)" >"$W/held"
mclient_files "$W/held" -- --login alice >/dev/null
ok "a quarantine that fills is told of" wait_for 60 told quarantine-full
like "with how much" "$(told quarantine-full)" '[0-9]+% of its 1 MB are used'
posternd_stop

sed -i 's/^dns = .*/dns = {"127.0.0.1@1"}\ndns-query-time = 100ms\ndns-time = 200ms/' "$CONF"
ok "posternd starts without a DNS" posternd_start
dns_is_told() {
	mclient_files "$W/good" -- --login alice --from "a@$RANDOM.example" >/dev/null
	told dns-failing
}
ok "a DNS that does not answer is told of" wait_for 90 dns_is_told
like "with how often" "$(told dns-failing)" '[0-9]+ of [0-9]+ questions were not answered'

# A program that hangs holds up neither mail nor the end.
posternd_stop
printf '#!/bin/sh\necho $$ >%s/hung\nexec sleep 100000\n' "$W" >"$W/program"
touch "$W/hung"
chmod 666 "$W/hung"
sed -i -e 's/^dns = .*/dns = {"off"}/' \
	-e 's/^quarantine-size.*/quarantine-size = 1G/' \
	-e 's/^alert first-hold.*/alert first-hold { to = {"command"} }/' "$CONF"
ok "posternd starts with a program that hangs" posternd_start
mclient_files "$W/held" -- --login bob >/dev/null
ok "the program hangs" wait_for 60 test -s "$W/hung"
hung=$(cat "$W/hung")
answers_is "mail is answered all the same" "accept accept accept" --login carol \
	--repeat 3 --total 3
for ((i = 0; i < 300; i++)); do echo "$W/held"; done |
	xargs "$MCLIENT" --timeout 60000 --login dora "$MILTER" >/dev/null
is "held mail, too" "$(postern quarantine list --login dora --json | wc -l)" 300
ok "what came too fast is counted" test \
	"$(json_of "$(postern status --json)" 'o["alerts"]["lost"]')" -gt 0
process_patience=120 posternd_stop
ok "posternd ends" is_gone "$POSTERND_PID"
ok "and takes the program along" is_gone "$hung"
like "and says what was not told" "$(cat "$W/log/posternd")" "alerts are left untold"
done_testing
