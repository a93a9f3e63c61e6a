# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# dovecot -- a private Dovecot with Pigeonhole in $W/dovecot, made from the
# installed packages: LMTP on a unix socket, users in a file, Sieve scripts, and
# dovecot-lda.  Nothing in /etc is touched.

DOVECOT_LIBEXEC=${DOVECOT_LIBEXEC:-/usr/lib/dovecot}

# Whose mail it is.
DOVECOT_MAIL_USER=mail

# dovecot_configure [LINE...]: a configuration, the lines after it.  It hands
# notices to sendmail(1) of the private Postfix, which is configured already.  $DOVECOT_LMTP is where an
# MTA delivers; there are no users yet.
# shellcheck disable=SC2120
dovecot_configure() {
	needs dovecot
	DOVECOT=$W/dovecot
	DOVECOT_LMTP=$DOVECOT/run/lmtp
	mkdir -p "$DOVECOT"/{state,mail,sieve}
	touch "$DOVECOT/users" "$W/log/dovecot"
	chmod 666 "$W/log/dovecot"
	chown "$DOVECOT_MAIL_USER" "$DOVECOT"/{mail,sieve}
	cat >"$DOVECOT/dovecot.conf" <<-X
	base_dir = $DOVECOT/run
	state_dir = $DOVECOT/state
	log_path = $W/log/dovecot
	protocols = lmtp
	listen = 127.0.0.1
	ssl = no
	hostname = mail.test.example
	postmaster_address = postmaster@test.example
	mail_uid = $DOVECOT_MAIL_USER
	mail_gid = $DOVECOT_MAIL_USER
	first_valid_uid = 1
	mail_location = maildir:$DOVECOT/mail/%u
	recipient_delimiter = +
	sendmail_path = /usr/bin/env MAIL_CONFIG=$POSTFIX/etc /usr/sbin/sendmail
	lmtp_rcpt_check_quota = yes
	passdb {
	  driver = passwd-file
	  args = $DOVECOT/users
	}
	userdb {
	  driver = passwd-file
	  args = $DOVECOT/users
	  default_fields = home=$DOVECOT/mail/%u
	}
	service lmtp {
	  unix_listener lmtp {
	    mode = 0666
	  }
	}
	service auth {
	  unix_listener auth-userdb {
	    mode = 0777
	  }
	}
	service stats {
	  unix_listener stats-writer {
	    mode = 0666
	  }
	}
	protocol lmtp {
	  mail_plugins = sieve quota
	}
	protocol lda {
	  mail_plugins = sieve quota
	}
	plugin {
	  sieve = file:$DOVECOT/sieve;active=$DOVECOT/sieve/%u.sieve
	  quota = maildir
	}
	$(printf '%s\n' "$@")
	X
}

# dovecot_user ADDRESS [FIELD...]: a user; what is on standard input, unless
# that is empty, is the Sieve script.  A field is one of userdb, for instance
# userdb_quota_rule=*:bytes=1.
dovecot_user() {
	local user=$1 script
	shift
	echo "$user:{PLAIN}secret::::::$*" >>"$DOVECOT/users"
	script=$(cat)
	[ -z "$script" ] || printf '%s\n' "$script" >"$DOVECOT/sieve/$user.sieve"
}

# The message on standard input is in the mailbox of $1 already.
dovecot_put() {
	mkdir -p "$DOVECOT/mail/$1"/{cur,new,tmp}
	cat >"$DOVECOT/mail/$1/new/$SECONDS.$RANDOM.mail"
	chown -R "$DOVECOT_MAIL_USER:" "$DOVECOT/mail/$1"
}

dovecot_start() {
	[ -n "${DOVECOT-}" ] || dovecot_configure
	process_start dovecot dovecot -F -c "$DOVECOT/dovecot.conf"
	DOVECOT_PID=$process
	wait_for 20 socket_is_open "$DOVECOT_LMTP"
}

dovecot_stop() {
	process_stop "$DOVECOT_PID"
}

# Messages in the mailbox of $1.
dovecot_count() {
	find "$DOVECOT/mail/$1" -path '*/new/*' -o -path '*/cur/*' 2>/dev/null | wc -l
}
