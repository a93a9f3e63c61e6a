# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# smtp -- a mail client in the shell: it says what it is told, byte for byte,
# and prints what it hears.

# mail SUBJECT [TEXT]: a plain good message on standard output.
mail() {
	cat <<-X
	From: Alice Archer <alice@test.example>
	To: Bob Baker <bob@remote.example>
	Subject: $1
	Date: Thu, 05 Mar 2026 10:11:12 +0000
	Message-ID: <$RANDOM$RANDOM.$SECONDS@test.example>
	MIME-Version: 1.0
	Content-Type: text/plain; charset=utf-8

	${2-Hello Bob, the minutes of our meeting are on the table.}
	X
}

# One reply from descriptor $1; its last line is in $reply.
smtp_hear() {
	while IFS= read -r -t "${smtp_patience:-60}" -u "$1" reply; do
		reply=${reply%$'\r'}
		[ "${reply:3:1}" = - ] || return 0
	done
	reply="000 the connection was closed or silent"
	return 1
}

# What the wire wants of the message on standard input: CRLF, dots doubled.
# In large pieces, or TCP waits for an acknowledgement between two small ones.
smtp_wire() {
	{
		LC_ALL=C sed -e 's/\r\?$/\r/' -e 's/^\./../' -e '$a\'
		printf '.\r\n'
	} | dd bs=256K iflag=fullblock status=none
}

# smtp PORT: a session from the script on standard input.  Each line is sent and
# its reply printed; `@FILE` sends a message; `!COMMAND` runs a command.
smtp() {
	local wire line reply
	exec {wire}<>"/dev/tcp/127.0.0.1/$1" || return 1
	smtp_hear "$wire" && echo "$reply"
	while IFS= read -r line; do
		case $line in
		!*) eval "${line#!}"; continue ;;
		@*) smtp_wire <"${line#@}" >&"$wire" ;;
		*) printf '%s\r\n' "$line" >&"$wire" ;;
		esac 2>/dev/null
		smtp_hear "$wire"
		echo "$reply"
	done
	exec {wire}>&-
}

# AUTH PLAIN of user $1 with the password that users of these tests have.
smtp_auth() {
	printf 'AUTH PLAIN %s' "$(printf '\0%s\0secret' "$1" | base64 -w0)"
}

# send [-p PORT] [-l LOGIN] [-c CLIENT] [-f FROM] [-t TO]... [-o MAIL-OPTIONS]
#     [-r RCPT-OPTIONS]
# sends the message on standard input and prints the last reply, or the first
# that is a refusal.  CLIENT is the address Postfix takes us for (XCLIENT).
send() {
	local port=$SMTP_PORT login='' client='' from=alice@test.example to=()
	local options='' rcpt_options='' OPTIND=1 flag wire reply step steps
	while getopts p:l:c:f:t:o:r: flag; do
		case $flag in
		p) port=$OPTARG ;;
		l) login=$OPTARG ;;
		c) client=$OPTARG ;;
		f) from=$OPTARG ;;
		t) to+=("$OPTARG") ;;
		o) options=" $OPTARG" ;;
		r) rcpt_options=" $OPTARG" ;;
		*) return 2 ;;
		esac
	done
	steps=("EHLO client.example")
	[ -z "$client" ] || steps+=("XCLIENT NAME=[UNAVAILABLE] ADDR=$client"
		"EHLO client.example")
	[ -z "$login" ] || steps+=("$(smtp_auth "$login")")
	steps+=("MAIL FROM:<$from>$options")
	for step in "${to[@]-bob@remote.example}"; do
		steps+=("RCPT TO:<$step>$rcpt_options")
	done
	steps+=(DATA)
	exec {wire}<>"/dev/tcp/127.0.0.1/$port" || return 1
	smtp_hear "$wire"
	for step in "${steps[@]}"; do
		printf '%s\r\n' "$step" >&"$wire"
		smtp_hear "$wire" || break
		case $reply in [45]*) break ;; esac
	done
	case $reply in
	354*) smtp_wire >&"$wire" && smtp_hear "$wire" ;;
	esac 2>/dev/null
	echo "$reply"
	(printf 'QUIT\r\n' >&"$wire") 2>/dev/null
	exec {wire}>&-
	case $reply in 2*) return 0 ;; *) return 1 ;; esac
}
