package runbooks

import (
	"regexp"
	"slices"
	"strings"
)

// place is where a program runs.
type place int

const (
	local     place = iota // on this machine
	container              // in a pod or a container
	remote                 // on another machine
)

// invocation is one program of a command line with its arguments. A line such
// as "sudo kubectl exec pod -- sh -c '…'" has three, each started by the one
// before.
type invocation struct {
	word     arg    // the word that names it
	name     string // empty where it cannot be told
	args     []arg  // without the name
	place    place
	appended bool  // more arguments follow that come from data: xargs, find -exec
	script   *arg  // text among the arguments that another shell interprets, where a single word holds it
	scripts  []arg // the same where the program joins several words
	kubectl  *kubectlWords
}

// maxDepth bounds how deep programs may start one another.
const maxDepth = 16

// expandAt lists the programs of a command line, outermost first. at is where it
// runs, appended whether more arguments follow that come from data.
func expandAt(words []arg, at place, appended bool, depth int) []invocation {
	if len(words) == 0 {
		return nil
	}
	inv := invocation{word: words[0], name: words[0].program(), args: words[1:], place: at, appended: appended}
	if depth > maxDepth {
		inv.name = ""
	}
	start, ok := starters[inv.name]
	if !ok || inv.name == "" {
		return []invocation{inv}
	}
	inner := start(&inv)
	out := []invocation{inv}
	for _, in := range inner {
		next := at
		if in.place != local {
			next = in.place
		}
		out = append(out, expandAt(in.words, next, in.appended || appended, depth+1)...)
	}
	return out
}

// started is a command line that a program starts.
type started struct {
	words    []arg
	place    place // local: where the program itself runs
	appended bool
}

// starter finds what a program starts, and sets the invocation's script.
type starter func(inv *invocation) []started

var starters map[string]starter

func init() {
	prefix := func(takes string, skip int) starter {
		return func(inv *invocation) []started {
			rest := starting(inv.args, takes, "--foreground --preserve-status --verbose --nonblock --no-fork --unlock --exclusive --shared", "")
			if len(rest) <= skip {
				return nil
			}
			return []started{{words: rest[skip:]}}
		}
	}
	starters = map[string]starter{
		"sudo": startSudo, "doas": prefix("uCa", 0),
		"env": startEnv, "nohup": prefix("", 0), "setsid": prefix("", 0),
		"nice": prefix("n", 0), "ionice": prefix("cnp", 0), "chrt": prefix("TPD", 1),
		"taskset": prefix("", 1), "stdbuf": prefix("ioe", 0), "time": prefix("fo", 0),
		"timeout": prefix("ks", 1), "unbuffer": prefix("", 0), "chroot": prefix("", 1),
		"flock": prefix("wE", 1), "exec": prefix("a", 0), "builtin": prefix("", 0),
		"nsenter": prefix("tSGrw", 0), "caffeinate": prefix("tw", 0),
		"command": startCommand, "xargs": startXargs, "find": startFind, "watch": startWatch,
		"kubectl": startKubectl, "oc": startKubectl,
		"docker": startDocker, "podman": startDocker, "nerdctl": startDocker, "crictl": startDocker,
		"docker-compose": startCompose, "podman-compose": startCompose,
		"ssh": startSSH, "eval": startEval, "trap": startTrap, "su": startSu, "runuser": startSu,
	}
	for _, shell := range []string{"sh", "bash", "dash", "zsh", "ash", "ksh"} {
		starters[shell] = startShell
	}
}

// starting are the words that a program starts: its operands, where it has no
// long option with a value of its own that could be taken for the command. flags
// are its long options without a value, values those with one. Where an option
// is not known, nobody can tell what is started.
func starting(args []arg, takes, flags, values string) []arg {
	rest := operands(args, takes)
	own := args[:len(args)-len(rest)]
	for i, a := range own {
		name, _, glued := strings.Cut(a.text, "=")
		if !strings.HasPrefix(name, "--") || name == "--" || glued || slices.Contains(strings.Fields(flags), name) {
			continue
		}
		if i == len(own)-1 && slices.Contains(strings.Fields(values), name) && len(rest) > 0 {
			return starting(rest[1:], takes, flags, values)
		}
		return []arg{{text: hole}}
	}
	return rest
}

// operands are the words from the first one that is neither an option nor an
// option's value; takes are the one-letter options that have a value. A word
// that could be anything ends the search.
func operands(args []arg, takes string) []arg {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.text == "--":
			return args[i+1:]
		case a.dynamic() || !a.option():
			return args[i:]
		case strings.HasPrefix(a.text, "--"):
		case takesValue(a.text, takes):
			i++
		}
	}
	return nil
}

// takesValue tells whether a cluster of one-letter options ends in one whose
// value is the next word.
func takesValue(cluster, takes string) bool {
	for i := 1; i < len(cluster); i++ {
		if strings.IndexByte(takes, cluster[i]) >= 0 {
			return i == len(cluster)-1
		}
	}
	return false
}

// sudoTakes are sudo's one-letter options with a value.
const sudoTakes = "ughprCtTUDR"

func startSudo(inv *invocation) []started {
	rest := starting(inv.args, sudoTakes, "--preserve-env --non-interactive --set-home --stdin --background --login --shell --reset-timestamp", "--user --group --host --prompt --chdir --chroot --role --type")
	for len(rest) > 0 && assignmentWord.MatchString(rest[0].text) {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	return []started{{words: rest}}
}

var assignmentWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

func startEnv(inv *invocation) []started {
	rest := starting(inv.args, "uCS", "--ignore-environment --null --debug", "--unset --chdir")
	for len(rest) > 0 && assignmentWord.MatchString(rest[0].text) {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	return []started{{words: rest}}
}

// startCommand: command -v only looks a name up.
func startCommand(inv *invocation) []started {
	if len(inv.args) > 0 && (inv.args[0].text == "-v" || inv.args[0].text == "-V") {
		return nil
	}
	if rest := operands(inv.args, ""); len(rest) > 0 {
		return []started{{words: rest}}
	}
	return nil
}

const (
	xargsTakes  = "IiLnPsdEaJR"
	xargsFlags  = "--null --no-run-if-empty --verbose --interactive --exit --open-tty"
	xargsValues = "--arg-file --delimiter --max-args --max-procs --max-chars --max-lines --replace --eof"
)

func startXargs(inv *invocation) []started {
	if rest := starting(inv.args, xargsTakes, xargsFlags, xargsValues); len(rest) > 0 {
		return []started{{words: rest, appended: true}}
	}
	return nil
}

func startFind(inv *invocation) []started {
	var out []started
	for i := 0; i < len(inv.args); i++ {
		switch inv.args[i].text {
		case "-exec", "-execdir", "-ok", "-okdir":
			end := i + 1
			for end < len(inv.args) && inv.args[end].text != ";" && inv.args[end].text != "+" {
				end++
			}
			out = append(out, started{words: inv.args[i+1 : end], appended: true})
			i = end
		}
	}
	return out
}

// startWatch: watch hands its words to a shell, unless -x is among its options.
func startWatch(inv *invocation) []started {
	rest := operands(inv.args, "nq")
	if len(rest) == 0 {
		return nil
	}
	for _, a := range inv.args[:len(inv.args)-len(rest)] {
		if a.text == "--exec" || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "x") {
			return []started{{words: rest}}
		}
	}
	if len(rest) == 1 {
		inv.script = &rest[0]
		return nil
	}
	inv.scripts = rest
	return nil
}

func startEval(inv *invocation) []started {
	inv.scripts = inv.args
	if len(inv.args) == 1 {
		inv.script, inv.scripts = &inv.args[0], nil
	}
	return nil
}

// startTrap: trap TEXT SIGNAL runs the text later.
func startTrap(inv *invocation) []started {
	if len(inv.args) > 1 && inv.args[0].text != "-" {
		inv.script = &inv.args[0]
	}
	return nil
}

// startShell: sh -c TEXT.
func startShell(inv *invocation) []started {
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		if a.dynamic() || !a.option() || a.text == "--rcfile" || a.text == "--init-file" {
			return nil
		}
		if strings.HasPrefix(a.text, "--") {
			continue
		}
		if strings.Contains(a.text, "c") && i+1 < len(inv.args) {
			inv.script = &inv.args[i+1]
			return nil
		}
		if takesValue(a.text, "oO") {
			i++
		}
	}
	return nil
}

// startSu: su - USER -c TEXT.
func startSu(inv *invocation) []started {
	for i, a := range inv.args {
		if (a.text == "-c" || a.text == "--command") && i+1 < len(inv.args) {
			inv.script = &inv.args[i+1]
			return nil
		}
		if a.text == "--" && inv.name == "runuser" {
			return []started{{words: inv.args[i+1:]}}
		}
	}
	return nil
}

// startSSH: what follows the host is joined and handed to a shell over there.
func startSSH(inv *invocation) []started {
	rest := operands(inv.args, "BbcDEeFIiJLlmOoPpQRSWw")
	switch {
	case len(rest) == 2:
		inv.script = &rest[1]
	case len(rest) > 2:
		inv.scripts = rest[1:]
	}
	return nil
}

func optionSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, o := range strings.Fields(list) {
		set[o] = true
	}
	return set
}

// words splits a command line into its operands and its options, by the
// options that take a value. Everything after "--" is rest.
func words(args []arg, takes map[string]bool) (positional, options, rest []arg) {
	both := make([]arg, 2*len(args)) // one allocation for the two lists
	positional, options = both[:0:len(args)], both[len(args):len(args)]
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.text == "--":
			return positional, options, args[i+1:]
		case a.dynamic():
			positional = append(positional, a)
		case a.option():
			options = append(options, a)
			if takes[a.text] && i+1 < len(args) {
				i++
				options = append(options, args[i])
			}
		default:
			positional = append(positional, a)
		}
	}
	return positional, options, nil
}

// firstOperand is the first word that is neither an option nor its value; -1
// and "" where there is none.
func firstOperand(args []arg, takes map[string]bool) (int, string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a.dynamic() || !a.option() || a.text == "--" {
			return i, a.text
		}
		if takes[a.text] {
			i++
		}
	}
	return -1, ""
}
