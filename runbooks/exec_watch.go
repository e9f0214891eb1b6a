package runbooks

import "strings"

// watchFunction stands for watch(1) where output is captured: the program draws
// on a terminal, and writes nothing but cursor movements where there is none.
// The function runs the same command line again and again, every 2 s or as -n
// says, with the time above each round. It also works where no watch is
// installed. Options that are about the screen alone are taken and ignored.
var watchFunction = strings.Join(strings.Fields(`
watch() {
  local every=2 exec=;
  while [[ ${1-} == -?* ]]; do
    case $1 in
      --) shift; break ;;
      -n|--interval) every=$2; shift 2 ;;
      -n*) every=${1#-n}; shift ;;
      --interval=*) every=${1#*=}; shift ;;
      -q|--equexit) shift 2 ;;
      -x|--exec) exec=1; shift ;;
      *) shift ;;
    esac;
  done;
  [[ $# -gt 0 ]] || { echo "watch: nothing to run" >&2; return 1; };
  while :; do
    printf "── %s\n" "$(date +%T)";
    if [[ $exec ]]; then "$@" || :; else sh -c "$*" || :; fi;
    sleep "$every" || return;
  done;
}`), " ") + "; "

// callsWatch tells whether a script starts watch on this machine.
func callsWatch(script string) bool {
	file, err := parseShell(script)
	if err != nil {
		return false
	}
	found := false
	shellVisitor{call: func(inv invocation, _ bool) {
		found = found || inv.name == "watch" && inv.place == local && inv.word.text == "watch"
	}}.visit(file, local, 0)
	return found
}
