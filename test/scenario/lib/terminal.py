# SPDX-License-Identifier: BSD-2-Clause
# terminal.py WAY COMMAND...: run the command and look at each byte it says.
#   tty   on a terminal: colours, a bar, and nothing else that a terminal obeys
#   pipe  nothing that a terminal obeys
#   json  each line, or all of it, is JSON in UTF-8 (RFC 8259), and ASCII
#         control characters are escaped
# Exit 1, with what was wrong, else 0; 2: the command ended with more than 1.
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata

STYLE = re.compile(r"\x1b\[[0-9;]*m")
# A bar on standard error: drawn, and wiped.
BAR = re.compile(r"\r\x1b\[K|\r(?=[a-z][a-z ]* \[[#.]+\])")


def on_terminal(command):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execvp(command[0], command)
    said = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said, b""


def in_pipe(command):
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def obeyed(said, has_style):
    """What a terminal would obey, or what is not text."""
    try:
        text = said.decode("utf-8")
    except UnicodeDecodeError as error:
        return "not UTF-8: %r" % said[max(0, error.start - 40) : error.end + 20]
    if has_style:
        text = STYLE.sub("", BAR.sub("", text.replace("\r\r\n", "\r\n")))
    text = text.replace("\r\n", "\n")
    for i, c in enumerate(text):
        if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co"):
            return "%r in %r" % (c, text[max(0, i - 60) : i + 20])
    return ""


def strict(constant):
    raise ValueError(constant)


def not_json(said):
    text = said.decode("utf-8")
    try:
        json.loads(text, parse_constant=strict)
        return ""
    except ValueError:
        pass
    for line in text.splitlines():
        try:
            json.loads(line, parse_constant=strict)
        except ValueError as error:
            return "%s: %r" % (error, line[:200])
    return ""


def main():
    way, command = sys.argv[1], sys.argv[2:]
    code, out, err = (on_terminal if way == "tty" else in_pipe)(command)
    wrong = obeyed(out, way == "tty") or obeyed(err, False)
    if not wrong and way == "json":
        wrong = not_json(out)
    if not wrong and code == 0 and not out.strip():
        wrong = "nothing was said"
    print(wrong or "exit %d\n%s" % (code, err.decode("utf-8", "replace")[:500]))
    return 1 if wrong else 0 if code <= 1 else 2


sys.exit(main())
