#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Starting: sockets, pid file, privileges, and what is refused.
. "$(dirname "$0")/lib/scenario.sh"
needs root postfix
posternd_configure 'socket-mode = 0660'
socket=${MILTER#unix:}

posternd_start
ok "it starts" is_alive "$POSTERND_PID"
is "the socket has its mode and group" "$(stat -c '%a %G' "$socket")" "660 postfix"
is "root became the user" "$(stat -c %U "/proc/$POSTERND_PID")" "$POSTERND_USER"
is "with no other group, and no capability" "$(sed -nE \
	's/^(Groups|CapEff):\s*//p' "/proc/$POSTERND_PID/status" | xargs)" \
	"$(id -G "$POSTERND_USER") 0000000000000000"
wait_for 5 [ -s "$POSTERN/posternd.pid" ]
is "the pid file has its id" "$(cat "$POSTERN/posternd.pid")" "$POSTERND_PID"
is "the state folder is closed" "$(stat -c %a "$POSTERN/state")" 700

said=$("$POSTERND" -f -c "$CONF" 2>&1)
like "a second one does not take the place of a live one" "$said" "another posternd"
ok "which still answers" socket_is_open "$socket"
sed "s|milter.sock|other.sock|; s|^state-dir = .*|state-dir = \"$POSTERN/state2\"|" \
	"$CONF" >"$W/other.conf"
said=$(timeout 20 "$POSTERND" -f -c "$W/other.conf" 2>&1)
like "nor takes its control socket" "$said" "other.conf:[0-9]+: error: control-socket: .*control.sock: .*in use"
sed 's|/\([a-z.]*\)\.sock"|/other-\1.sock"|; s|posternd.pid|other.pid|' "$CONF" >"$W/other.conf"
said=$(timeout 20 "$POSTERND" -f -c "$W/other.conf" 2>&1)
is "nor shares its state" "$?" 2
like "and it says so" "$said" "state-dir: .*/state is in use by another posternd"
like "which still answers, too" "$(postern status)" "in-flight=0"
is "and the pid file is the first one's" "$(cat "$POSTERN/posternd.pid")" \
	"$POSTERND_PID"
posternd_kill
ok "a dead one's socket is there" [ -S "$socket" ]
ok "and no obstacle" posternd_start
posternd_stop
touch "$socket"
ok "a file in its place is" eval '! timeout 20 "$POSTERND" -f -c "$CONF"'
rm "$socket"

"$POSTERND" -c "$CONF" 2>/dev/null
ok "in the background" wait_for 10 socket_is_open "$socket"
pid=$(cat "$POSTERN/posternd.pid")
ok "with a pid file" is_alive "$pid"
process_stop "$pid"
ok "it can be stopped" is_gone "$pid"
"$POSTERND" -c "$CONF" <&- >&- 2>&-
ok "in the background without standard streams" wait_for 10 socket_is_open "$socket"
ok "it answers" postern status
process_stop "$(cat "$POSTERN/posternd.pid")"

sed 's/^user = .*/user = root/' "$CONF" >"$W/root.conf"
said=$(timeout 20 "$POSTERND" -f -c "$W/root.conf" 2>&1)
unlike "as root it refuses" "$?" "^0"
like "and says why" "$said" "root"
process_start root "$POSTERND" -f -R -c "$W/root.conf"
ok "unless told to" wait_for 10 socket_is_open "$socket"
process_stop "$process"

sed "s|^socket = .*|socket = \"unix:$POSTERN/a/b/s\"|" "$CONF" >"$W/umask.conf"
(umask 077; exec "$POSTERND" -f -c "$W/umask.conf" 2>/dev/null) &
ok "with a umask of 077" wait_for 10 socket_is_open "$POSTERN/a/b/s"
is "the MTA reaches the socket" "$(stat -c %a "$POSTERN/a" "$POSTERN/a/b" | xargs)" \
	"755 755"
process_stop $!

# With a umask that hides nothing, keys, mail and who wrote to whom are hidden.
rm -rf "$POSTERN/state" && mkdir -m 700 "$POSTERN/state" &&
	chown "$POSTERND_USER" "$POSTERN/state"
(umask 0; exec "$POSTERND" -f -c "$CONF" 2>"$W/log/umask") &
ok "with a umask of 0" wait_for 10 postern status
wait_for 10 [ -s "$POSTERN/state/ledger/memory.mdb" ]
is "the key is 32 bytes for its owner alone" \
	"$(stat -c '%a %s %U' "$POSTERN/state/release.key")" "600 32 $POSTERND_USER"
is "nobody else reads anything of the state" \
	"$(find "$POSTERN/state" -perm /077 ! -type l)" ""
is "the control socket is its owner's" \
	"$(stat -c '%a %U' "$POSTERN/control.sock")" "600 $POSTERND_USER"
ok "so another user is not answered" eval \
	'! setpriv --reuid daemon --regid daemon --clear-groups \
		"$POSTERN_PROGRAM" -c "$CONF" status'
like "and is told why" "$(cat "$W/said")" "Permission denied"
as=(setpriv --reuid daemon --regid daemon --clear-groups)
as_another() {
	"${as[@]}" "$POSTERN_PROGRAM" -c "$CONF" "$@" 2>&1 </dev/null
}
for command in status reload "quarantine list" history "explain X" ledger digest; do
	# shellcheck disable=SC2086
	like "$command: another user is told who may, and how" "$(as_another $command)" \
		"denied; only root and the user $POSTERND_USER may: use sudo"
done
sed 's/^/#/' "$CONF" >"$W/closed.conf"
chmod 600 "$W/closed.conf"
like "a configuration that may not be read: who may" \
	"$("${as[@]}" "$POSTERN_PROGRAM" -c "$W/closed.conf" status 2>&1)" \
	"denied.*only root .* may read that: use sudo"
like "to another user doctor does not say that posternd is down" \
	"$(as_another doctor --posternd)" "skipped: posternd: .*use sudo"
is "and nobody but owner and group may write the milter's" \
	"$(stat -c %a "$socket")" 660
process_stop $!
rm -rf "$POSTERN/state" && mkdir -m 700 "$POSTERN/state" &&
	chown "$POSTERND_USER" "$POSTERN/state"
(umask 0; postern quarantine list >/dev/null 2>&1)
is "the operator's command makes none that others read" \
	"$(find "$POSTERN/state" -perm /077)" ""

port_free
sed "s|^socket = .*|socket = \"inet:$port@127.0.0.1\"|" "$CONF" >"$W/inet.conf"
process_start inet "$POSTERND" -f -c "$W/inet.conf"
ok "an inet socket" wait_for 10 port_is_open "$port"
process_stop "$process"

ok "posternd -t: all is well" "$POSTERND" -t -c "$CONF"
for wrong in 'dns = {"127.0.0.1:1"}' 'dns = {"file:/proc/nonexistent"}' 'user = nosuchuser' \
	'socket = "milter.sock"' 'release-via = "sendmail"' 'metrics-socket = "0.0.0.0:1"'; do
	{ sed "/^${wrong%% =*} = /d" "$CONF" && echo "$wrong"; } >"$W/wrong.conf"
	said=$("$POSTERND" -t -c "$W/wrong.conf" 2>&1)
	is "posternd -t: what a start refuses is exit 1: $wrong" "$?" 1
	line=$(grep -n "^${wrong%% =*} = " "$W/wrong.conf")
	like "and named with its line" "$said" "wrong.conf:${line%%:*}: error: ${wrong%% =*}: "
	[[ $wrong == user* ]] || like "postern lint says the same" \
		"$("$POSTERN_PROGRAM" -c "$W/wrong.conf" lint 2>&1; echo "exit $?")" \
		"wrong.conf:${line%%:*}: error: ${wrong%% =*}: .*exit 1"
done
sed 's/^socket-group = .*/socket-group = nosuchgroup/' "$CONF" >"$W/wrong.conf"
said=$("$POSTERND" -t -c "$W/wrong.conf" 2>&1)
is "a group that is not there stops no start" "$?" 0
like "and is warned about" "$said" "wrong.conf:[0-9]+: warning: socket-group: "
printf 'body BAD /(/\n' >"$POSTERN/rules/bad.cf"
said=$("$POSTERND" -t -c "$CONF" 2>&1)
is "posternd -t: a broken rule is exit 1" "$?" 1
like "with file and line" "$said" "bad.cf:1: error"
ok "and it does not start with it" eval '! timeout 20 "$POSTERND" -f -c "$CONF"'
done_testing
