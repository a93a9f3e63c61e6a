#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the admin is told of, by mail, webhook and command: grouped, at a pace, and
# never through the gate, whatever becomes of it.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs curl "$PYTHON"

# A web server that keeps what is posted, a request a line.
cat >"$W/hook" <<-'X'
	import http.server, sys
	class Hook(http.server.BaseHTTPRequestHandler):
	    def do_POST(self):
	        body = self.rfile.read(int(self.headers["Content-Length"]))
	        with open(sys.argv[2], "ab") as out:
	            out.write(self.path.encode() + b" " + body)
	        self.send_response(204)
	        self.end_headers()
	    def log_message(self, *args):
	        pass
	http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
	X
port_free
hook=$port
process_start hook "$PYTHON" "$W/hook" "$hook" "$W/posted"
cat >"$W/program" <<-X
	#!/bin/sh
	{ echo "\$1 \$POSTERN_EVENT \$POSTERN_COUNT"; cat; env; } >>$W/command
	X
chmod 755 "$W/program"
touch "$W/command" "$W/posted"
chmod 666 "$W/command"

# Every message of the admin's would be held if it were looked at.
alert_lines=('class submission { hold = 6 }' 'class relay { hold = 6 }'
	'alert-mail = {"admin@remote.example"}'
	'alert-from = "postern@test.example"'
	'alert-delay = 1h' 'alert-window = 10s' 'alert-least = 3'
	"alert-webhook = \"http://127.0.0.1:$hook/secret\""
	"alert-command = \"$W/program word\""
	'alert hold-rate { to = {} }' 'alert dns-failing { to = {"mail"} }')
needs postfix
sink_start && posternd_configure "${alert_lines[@]}" && postfix_configure &&
	echo "alert-via = \"smtp:127.0.0.1:$SMTP_PORT\"" >>"$CONF" &&
	printf '%s\n' 'header ALERTED Subject =~ /Postern on/' \
		'score ALERTED 50' >"$POSTERN/rules/zz.cf" &&
	postfix_user alice && posternd_start && postfix_start ||
	bail "Postfix, posternd and a sink start"
alerts() { grep -lr 'Auto-Submitted: auto-generated' "$W/sink" 2>/dev/null; }
alert_count() { alerts | wc -l; }
has_alerts() { [ "$(alert_count)" -ge "$1" ]; }
body() { $PYTHON -c 'import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
print(m["subject"]); print(m.get_content())' "$1"; }

for i in 1 2 3; do
	mail "hold me $i" | send -l alice >/dev/null
done
mail "hold me too" | send -f bob@test.example -c 127.0.0.1 >/dev/null
wait_for 20 eval '[ "$(held_count)" = 4 ]'
is "they wait for more to tell" "$(alert_count)" 0
posternd_stop
ok "before posternd ends the admin gets mail" wait_for 60 has_alerts 1
is "one, of all of them" "$(alert_count)" 1
first=$(alerts)
said=$(body "$first")
like "with who has mail held" "$said" "^Postern on .*: 2 senders had mail held .*: alice, <bob@test.example>"
like "how often" "$said" "alice: 3 held, the last at 20"
like "and what to do" "$said" "postern quarantine list"
like "from nobody, so nothing answers" "$(grep -a ^X-Mail-Args "$first")" "X-Mail-Args: <>"
is "nothing of the release is in it" "$(grep -aci '^x-postern' "$first")" 0
like "the gate knew it" "$(logged 'note=letter')" "action=accept .*id=postern"
is "and did not hold it" "$(held_count)" 4
has() { grep -q "$2" "$1"; }
ok "the webhook was posted to" wait_for 60 has "$W/posted" first-hold
posted=$(sed -n 's|^/secret ||p' "$W/posted")
is "JSON" "$(json_of "$posted" 'o["event"], sorted(i["key"] for i in o["items"])[-1]')" \
	"('first-hold', 'alice')"
is "with the count" "$(json_of "$posted" 'o["count"]')" 4
ok "the command was run" wait_for 60 has "$W/command" POSTERN_EVENT
like "with its word, and the event in the environment" "$(head -n 1 "$W/command")" \
	"^word first-hold 4$"
is "and nothing else in it" "$(grep -cvE '^(POSTERN_(EVENT|COUNT|TIME|HOST)|PATH|PWD|OLDPWD|SHLVL|_)=' \
	<(sed '1,2d' "$W/command"))" 0
is "the secret address is in no list of processes" \
	"$(grep -c secret <(sed -n '2p' "$W/command"))" 0

# The same senders again, after a restart: told already.  Another one is told of.
sed -i 's/^alert-delay.*/alert-delay = 1s/' "$CONF"
ok "posternd starts again" posternd_start
for i in 1 2 3; do
	mail "hold me again" | send -l alice >/dev/null
done
postfix_user carol
mail "hold me, too" | send -l carol >/dev/null
ok "a new sender is told of" wait_for 90 has_alerts 2
like "alone" "$(body "$(alerts | grep -v "^$first$" | head -n 1)")" \
	"1 sender had mail held that had none held for a day: carol"
is "metrics count it" "$(json_of "$(postern status --json)" 'o["alerts"]["first-hold"]')" 1

# What cannot be told: mail goes on, and it is counted.
sed -i 's|^alert-via.*|alert-via = "smtp:127.0.0.1:1"|' "$CONF"
postern reload >/dev/null
postfix_user dora
mail "hold me, dora" | send -l dora >/dev/null
failed() { json_of "$(postern status --json)" 'o["alerts"]["failed"] > 0' | grep -q True; }
ok "an alert that cannot be sent is counted" wait_for 60 failed
like "and said" "$(logged 'alert first-hold by mail')" "connect to 127.0.0.1:1"
like "with the event" "$(logged 'alert first-hold: ')" "dora"

# More than usual is held.
sed -i -e "s|^alert-via.*|alert-via = \"smtp:127.0.0.1:$SMTP_PORT\"|" \
	-e 's|^alert hold-rate.*|alert hold-rate { to = {"mail"} }|' "$CONF"
postern reload >/dev/null
seen_rate() {
	mail "hold me, $RANDOM" | send -l alice >/dev/null
	alerts | xargs grep -lE '^Subject:.*share of the mail' | grep -q .
}
ok "a high share of held mail is told of" wait_for 90 seen_rate
like "with the share" "$(body "$(alerts | xargs grep -lE '^Subject:.*share of the mail' | head -n 1)")" \
	"[0-9]+ of [0-9]+ messages were held, [0-9]+%"

# An alert whose release was used already, by whoever stole it: it is filtered as any
# mail, but nothing is told of it.
cat >"$W/thief" <<-X
	#!/bin/sh
	cat >$W/stolen
	X
chmod 755 "$W/thief"
touch "$W/stolen"
chown "$POSTERND_USER" "$W/stolen"
sed -i -e "s|^alert-via.*|alert-via = \"$W/thief\"|" -e 's|^alert hold-rate.*|alert hold-rate { to = {} }|' "$CONF"
postern reload >/dev/null
postfix_user emil
mail "hold me, emil" | send -l emil >/dev/null
ok "an alert is stolen" wait_for 60 grep -q emil "$W/stolen"
before=$(held_count)
send -l alice <"$W/stolen" >/dev/null
is "once its release is good" "$(held_count)" "$before"
is "no alert was held" "$(postern quarantine list --json | grep -c 'Postern on')" 0
postfix_user fred
send -l fred <"$W/stolen" >/dev/null
is "the second time it is held" "$(held_count)" $((before + 1))
like "as a replay" "$(logged 'note=release-replay')" "action=hold .*login=fred"
mail "hold me, grit" | send -f grit@test.example -c 127.0.0.1 >/dev/null
ok "the next alert is told" wait_for 60 grep -q grit "$W/stolen"
is "and none tells of an alert" "$(grep -c fred "$W/stolen")" 0
for wrong in 'alert-mail = {"a b"}' 'alert-webhook = "file:///etc/passwd"' \
	'alert-command = "rm -rf"' 'alert first-hold { to = {"phone"} }' \
	'alert-via = "smtp:x"'; do
	sed "/^${wrong%% =*}/d" "$CONF" >"$W/wrong.conf"
	echo "$wrong" >>"$W/wrong.conf"
	like "refused: $wrong" "$("$POSTERND" -t -c "$W/wrong.conf" 2>&1)" "wrong.conf:[0-9]+: error: (alert-|to:)"
done
done_testing
