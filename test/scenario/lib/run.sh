# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# run -- a workspace of one's own, processes that end with it, free ports, and
# waiting with a limit.  What is started is the work of the files beside it.
#
# In: $builddir.  Out: $W, the workspace, removed when the shell ends.

W=
at_exit_list=()
process_list=()

# at_exit COMMAND: done when the shell ends, the last one first.
at_exit() {
	at_exit_list+=("$1")
}

clean_up() {
	local i
	trap '' INT TERM HUP PIPE
	for ((i = ${#at_exit_list[@]} - 1; i >= 0; i--)); do
		eval "${at_exit_list[i]}" >/dev/null 2>&1
	done
	process_stop "${process_list[@]}"
	if [ -n "$W" ] && [ -z "${KEEP_WORKSPACE-}" ]; then
		rm -rf "$W"
	fi
}

# Called once by the main program: nothing outlives it, however it ends.
clean_up_always() {
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
}

# watch_clock SECONDS: end this shell, and what it waits for, after that time.
watch_clock() {
	local never
	exec {never}<> <(:)
	(
		trap - EXIT HUP INT TERM
		read -rt "$1" -u "$never"
		echo "# out of time: $1 s are over"
		children=$(sed "s/\b$BASHPID\b//" "/proc/$$/task/$$/children")
		kill $$
		kill $children
	) &
	at_exit "kill $!"
	disown $!
}

# May every user walk to the folder $1?  An MTA's processes have to.
is_traversable() {
	local folder=$1
	while [ "$folder" != / ]; do
		[ $((0$(stat -c %a "$folder") & 1)) = 1 ] || return 1
		folder=$(dirname "$folder")
	done
}

# workspace_new NAME: $W in the build folder, or under /tmp when the MTA could
# not reach that or a socket's path would be too long (106 bytes).
workspace_new() {
	local base=$builddir/test/scenario/run
	mkdir -p "$base"
	if ! is_traversable "$base" || [ ${#base} -gt 56 ]; then
		base=${TMPDIR:-/tmp}/postern
		base=$(mktemp -d "$base.XXXXXX") || exit 1
		W=$base
	else
		W=$(mktemp -d "$base/$1.XXXXXX") || exit 1
	fi
	chmod 755 "$W"
	mkdir "$W/log"
}

# wait_for SECONDS COMMAND...: until the command succeeds, or 1 after SECONDS.
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# Neither gone nor a zombie; asked once, for it may go in between.
is_alive() {
	[ -n "${1-}" ] &&
		[[ $(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) == [^Z] ]]
}

is_gone() {
	! is_alive "$1"
}

# process_start NAME COMMAND...: in a session of its own, so that Ctrl-C reaches
# only us; what it says goes to $W/log/NAME.  Its id is in $process.
process_start() {
	local name=$1
	shift
	setsid "$@" </dev/null >>"$W/log/$name" 2>&1 &
	process=$!
	disown "$process"
	process_list+=("$process")
}

# process_stop PID...: asked first, then killed.
process_stop() {
	local pid
	for pid; do
		is_alive "$pid" && kill "$pid" 2>/dev/null
	done
	for pid; do
		wait_for "${process_patience:-10}" is_gone "$pid" ||
			kill -9 "$pid" 2>/dev/null
	done
}

# Does somebody listen on TCP port $1?  (Without connecting to it.)
port_is_open() {
	awk -v port=":$(printf %04X "$1")" '$4 == "0A" &&
		substr($2, length($2) - 4) == port {found = 1}
		END {exit !found}' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# A port on loopback that nobody listens on, nor is about to in another run of this
# build folder, in $port.  It is below the range that the kernel gives to clients.
port_free() {
	local taken=$builddir/test/scenario/run/ports
	mkdir -p "$taken"
	port=$((20000 + RANDOM % 12000))
	until ! port_is_open "$port" && mkdir "$taken/$port"; do
		port=$((20000 + RANDOM % 12000))
	done 2>/dev/null
	at_exit "rmdir '$taken/$port'"
}

# Does somebody listen on the unix socket $1?  (Without connecting to it.)
socket_is_open() {
	awk -v path="$1" '$8 == path && $4 == "00010000" {found = 1}
		END {exit !found}' /proc/net/unix
}
