#!/bin/sh
# Onboards the org of one document, and says how that ended in a way that a
# pipeline can go on from. README.md beside it has the contract.
#
#   onboard.sh DOCUMENT REQUEST [FLAG...]
#
# REQUEST is what this attempt of this run is known by. FLAGs are onboard's own.
# The exit status is freehold's, but for an operation that is pending on the
# cloud: that is no failure, and PENDING_STATUS says what it is instead.
set -eu

document=${1:?usage: onboard.sh DOCUMENT REQUEST [FLAG...]}
request=${2:?usage: onboard.sh DOCUMENT REQUEST [FLAG...]}
shift 2

events=${EVENTS:-onboard.ndjson}     # the operation's events, one on a line
outcome=${OUTCOME:-onboard.env}      # gets outcome, org, operation, reason, retry_at as NAME=VALUE
tries=${BUSY_TRIES:-12}              # how often to ask, while another operation holds the org
within=${BUSY_WAIT:-5m}              # how long to wait for that one's end each time
pause=${BUSY_PAUSE:-5}               # seconds between its end and asking again
pending=${PENDING_STATUS:-0}

say() { echo "onboard.sh: $*" >&2; }

# A cancelled job signals this shell, and not always what it runs. It is told
# once: a second signal would end it at once, and some runners send two.
child='' signalled='' stopped=''
stop() {
	signalled=yes
	if [ -n "$child" ] && [ -z "$stopped" ]; then
		kill -TERM "$child" 2>/dev/null || :
	fi
	stopped=yes
}
trap stop HUP INT TERM

# run runs a command that hears of signals, and leaves how it ended in status.
run() {
	status=''
	"$@" &
	child=$!
	while :; do
		signalled='' got=0
		wait "$child" || got=$?
		# 127: it had ended, and been waited for, when a signal came.
		if [ "$got" -ne 127 ] || [ -z "$status" ]; then
			status=$got
		fi
		[ -n "$signalled" ] || break
	done
	child=''
}

# field prints the last value that the events have for a name. What a result
# holds has names of its own.
field() {
	sed -n -e 's/,"result":.*//' -e 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' "$events" | tail -n 1
}

attempt=1
while :; do
	# The same id is the same operation, also when this asks again.
	run freehold onboard -f "$document" --request-id "$request" -o ndjson "$@" >"$events"
	result=$status
	if [ "$result" -ne 5 ] || [ -n "$stopped" ] || [ "$attempt" -ge "$tries" ]; then
		break
	fi
	attempt=$((attempt + 1))
	say "another operation holds the org: waiting for its end, before attempt $attempt of $tries"
	run freehold operations wait "$(field org)" --timeout "$within" >&2
	[ -n "$stopped" ] || run sleep "$pause"
	[ -z "$stopped" ] || break
done

case $result in
0) word=ready ;;
1) word=failed ;;
3)
	word=blocked
	say 'the policies do not allow what is listed above: change the document, or record an exception in it'
	;;
4)
	word=invalid
	say 'the document or the command line is wrong: nothing was changed'
	;;
5)
	word=busy
	say 'the org is still held: nothing was changed'
	;;
6)
	word=pending
	at=$(field retryAt)
	say "the cloud has to act first: run this as another attempt, ${at:+not before }${at:-later}"
	;;
*)
	word=killed
	say "freehold was killed ($result): the next attempt goes on where it stopped"
	;;
esac
if [ -n "$stopped" ] && [ "$result" -ne 0 ]; then
	word=cancelled
fi

{
	echo "outcome=$word"
	for pair in org:org operation:operation reason:reason retry_at:retryAt; do
		value=$(field "${pair#*:}")
		[ -z "$value" ] || echo "${pair%%:*}=$value"
	done
} >>"$outcome"

if [ "$result" -eq 6 ]; then
	result=$pending
fi
exit "$result"
