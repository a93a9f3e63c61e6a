# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# sink -- the world outside: Postfix's smtp-sink takes every message the MTA
# delivers and keeps it as a file of $W/sink, behind lines that tell the envelope.

# Start it; its port is in $SINK_PORT.
sink_start() {
	mkdir "$W/sink"
	chown postfix "$W/sink" 2>/dev/null
	port_free
	SINK_PORT=$port
	process_start sink smtp-sink -u postfix -d "$W/sink/m." \
		"127.0.0.1:$SINK_PORT" 1024
	wait_for 10 port_is_open "$SINK_PORT"
}

sink_count() {
	find "$W/sink" -type f | wc -l
}

# The files whose text has $1 (fixed string), oldest first.
sink_find() {
	local file
	find "$W/sink" -type f -printf '%T@ %p\n' | sort -n | while read -r _ file; do
		grep -qaF -- "$1" "$file" && echo "$file"
	done
}

# sink_message TEXT [SECONDS]: wait for the message that has TEXT; its file is
# in $got.
sink_message() {
	wait_for "${2:-10}" sink_has "$1" || {
		got=/dev/null
		return 1
	}
	got=$(sink_find "$1" | tail -n 1)
}

sink_has() {
	[ -n "$(sink_find "$1")" ]
}

# The message in file $1 as it came: without the lines the sink put around it
# and the Received lines of the way.
sink_original() {
	sed -E '${/^$/d}; 1,/^$/ {
		/^X-(Client-(Addr|Proto)|Helo-Args|Mail-Args|Rcpt-Args): /d
		/^Received: /{s/.*/dropped/; x; d}
		/^[ \t]/{x; /^dropped/{x; d}; x}
		x; s/.*//; x
	}' "$1"
}
