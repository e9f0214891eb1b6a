package runbooks

import "strings"

// program is what the judge knows about one program.
type program struct {
	risk   Risk                                          // where nothing below says otherwise
	verbs  map[string]Risk                               // by its first operands: "get", "rollout undo"
	takes  map[string]bool                               // options whose value is the next word, to find the verbs
	raises map[string]Risk                               // options that make it worse: "-i"
	decide func(inv invocation, fed bool) (Risk, string) // where a table cannot say it
}

// programs is everything the judge knows. What is not in it is Unknown.
var programs = map[string]program{}

func (p program) judge(inv invocation, fed bool) (Risk, string) {
	risk, why := p.risk, ""
	if p.verbs != nil {
		risk = p.byVerb(inv)
	}
	if p.decide != nil {
		risk, why = p.decide(inv, fed)
	}
	if len(p.raises) == 0 {
		return risk, why
	}
	if inv.appended {
		return risk.worse(Unknown), "gets arguments from data, which may be options"
	}
	for _, a := range inv.args {
		if a.text == "--" {
			break
		}
		if a.dynamic() {
			return risk.worse(Unknown), "has an argument that may turn out to be an option"
		}
		for option, r := range p.raises {
			if a.is(option) {
				risk = risk.worse(r)
				why = "its option " + option + " " + verbFor(r)
			}
		}
	}
	return risk, why
}

// byVerb looks the first operands up, the longest match first.
func (p program) byVerb(inv invocation) Risk {
	operands, _, _ := words(inv.args, p.takes)
	if p.hidesVerb(inv) {
		return Unknown
	}
	return p.verb(operands)
}

// verb looks operands up, the longest match first.
func (p program) verb(operands []arg) Risk {
	risk, key := p.risk, ""
	for i, o := range operands[:min(3, len(operands))] {
		if !o.static {
			break
		}
		if i > 0 {
			key += " "
		}
		key += o.text
		if r, ok := p.verbs[key]; ok {
			risk = r
		}
	}
	return risk
}

// plainFlags are options without a value that many programs take before their
// verb.
var plainFlags = optionSet("-A --all-namespaces -v --verbose -q --quiet --debug -D --no-pager --no-color --color --no-cli-pager --no-paginate --no-verify-ssl --no-sign-request " +
	"--insecure-skip-tls-verify --match-server-version --warnings-as-errors -y --yes --user --system --global --tls --ansi --compatibility -a --all -l --full -h --help --version")

// hidesVerb tells whether an option stands before the verb of which it is not
// known whether the next word is its value.
func (p program) hidesVerb(inv invocation) bool {
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic():
			return true
		case !a.option():
			return false
		case p.takes[a.text]:
			i++
		case strings.Contains(a.text, "=") || plainFlags[a.text] || a.text == "--":
		case p.takes[a.text[:min(2, len(a.text))]] && !strings.HasPrefix(a.text, "--"): // -nVALUE
		default:
			return true
		}
	}
	return false
}

// is tells whether a word is the option: as it is, in a cluster of one-letter
// options, with a value after "=", or abbreviated as GNU's tools allow.
func (a arg) is(option string) bool {
	name, _, _ := strings.Cut(a.text, "=")
	switch {
	case a.text == option || name == option:
		return true
	case strings.HasPrefix(option, "--"):
		return len(name) > 3 && strings.HasPrefix(option, name)
	case len(option) == 2 && len(a.text) > 2 && a.text[0] == '-' && a.text[1] != '-':
		return strings.IndexByte(a.text[1:], option[1]) >= 0
	}
	return false
}

// verbs turns "reads: get list; changes: set" into a table. A verb of several
// words is joined by "+".
func verbs(lists ...string) map[string]Risk {
	out := map[string]Risk{}
	for _, list := range lists {
		class, names, _ := strings.Cut(list, ":")
		for _, name := range strings.Fields(names) {
			out[strings.ReplaceAll(name, "+", " ")] = Risk(class)
		}
	}
	return out
}

func init() {
	register := func(class Risk, names string) {
		for _, name := range strings.Fields(names) {
			programs[name] = program{risk: class}
		}
	}
	// Whatever their options are, these only look.
	register(Reads, "cat tac head tail wc cut tr nl rev fold paste comm join cmp diff seq expr basename dirname realpath readlink pwd ls stat du df "+
		"free uptime w who whoami id groups uname arch nproc lscpu lsblk lsof ps pgrep pstree vmstat iostat mpstat pidstat top htop netstat getent "+
		"dig nslookup host ping ping6 traceroute tracepath mtr true false sleep test [ echo printf grep egrep fgrep zgrep zcat bzcat xzcat strings "+
		"hexdump od md5sum sha1sum sha256sum sha512sum cksum jq base32 getconf locale tty which type whereis help jobs times printenv "+
		"lspci lsusb pg_isready pg_controldata pg_config : let read cd pushd popd shift return exit break continue  getopts wait "+
		"column more look tsort numfmt factor yes last lastlog zipinfo zless stern kubetail dircolors logname sum "+
		"hadolint shellcheck yamllint kubeval kubeconform doggo drill")
	// Starting another program is judged by what is started.
	register(Reads, "nohup setsid nice ionice chrt taskset stdbuf timeout unbuffer flock exec builtin command caffeinate "+
		"set unset local declare export readonly typeset shopt umask ulimit disown bg fg")
	register(Changes, "cp ln mkdir rmdir touch chmod chown chgrp install patch gzip gunzip bzip2 xz zstd unzip zip kill pkill killall reboot shutdown poweroff "+
		"halt init telinit umount swapon swapoff modprobe insmod rmmod useradd usermod groupadd passwd chpasswd visudo vipw mkfifo mknod split csplit "+
		"logger logrotate wall write mail sendmail at batch iptables-restore ip6tables-restore update-alternatives ldconfig depmod hwclock timedatectl "+
		"createdb createuser vacuumdb reindexdb clusterdb pg_basebackup initdb pg_receivewal pgbench ssh-keygen ssh-copy-id scp sftp rcp ftp "+
		"vi vim nvim nano emacs ed fallocate setfacl chattr mv renice conntrackd certbot")
	register(Destroys, "rm shred unlink dd mkfs mkfs.ext4 mkfs.ext3 mkfs.xfs mkfs.btrfs mke2fs wipefs truncate fdisk sfdisk sgdisk gdisk parted blkdiscard mkswap "+
		"lvremove vgremove pvremove userdel groupdel dropdb dropuser pg_resetwal pg_rewind srm")
	register(Unknown, "eval source . alias unalias make go python python2 python3 perl ruby node php lua tclsh java npm npx yarn pip pip3 cargo "+
		"gradle mvn ansible ansible-playbook expect parallel telnet socat vault mongo mongosh sqlplus tmux screen "+
		"fly sqlite3 mapfile readarray enable bind complete coproc logout suspend history fc k9s gdb strace ltrace bpftrace perf systemd-run")

	for name, p := range map[string]program{
		"sort":       {risk: Reads, raises: map[string]Risk{"-o": Changes, "--output": Changes, "--compress-program": Unknown}},
		"base64":     {risk: Reads, raises: map[string]Risk{"-o": Changes, "--output": Changes}},
		"less":       {risk: Reads, decide: judgeLess, raises: map[string]Risk{"-o": Changes, "-O": Changes, "--log-file": Changes, "-k": Unknown, "--lesskey-file": Unknown}},
		"man":        {risk: Reads, raises: map[string]Risk{"-P": Unknown, "--pager": Unknown, "-H": Unknown, "--html": Unknown, "-C": Unknown, "--config-file": Unknown}},
		"hash":       {risk: Reads, raises: map[string]Risk{"-p": Unknown}},
		"time":       {decide: judgeTime},
		"file":       {risk: Reads, raises: map[string]Risk{"-C": Changes, "--compile": Changes}},
		"ag":         {risk: Reads, raises: map[string]Risk{"--pager": Unknown}},
		"pg_waldump": {risk: Reads, raises: map[string]Risk{"--save-fullpage": Changes}},
		"mount":      {decide: onlyOption(Changes, "-l", "--show-labels")},
		"trap":       {decide: judgeScript}, "su": {decide: judgeScript}, "runuser": {decide: judgeScript},
		"sh": {decide: judgeScript}, "bash": {decide: judgeScript}, "dash": {decide: judgeScript},
		"zsh": {decide: judgeScript}, "ash": {decide: judgeScript}, "ksh": {decide: judgeScript},
		"sudo": {decide: judgeSudo}, "doas": {decide: judgeSudo}, "chroot": {decide: startsSomething}, "nsenter": {decide: startsSomething},
		"rg":       {risk: Reads, raises: map[string]Risk{"--pre": Unknown, "--hostname-bin": Unknown}},
		"tree":     {risk: Reads, raises: map[string]Risk{"-o": Changes}},
		"yq":       {risk: Reads, raises: map[string]Risk{"-i": Changes, "--inplace": Changes, "--in-place": Changes, "-s": Changes, "--split-exp": Changes}},
		"xmllint":  {risk: Reads, raises: map[string]Risk{"--output": Changes, "--shell": Unknown}},
		"dmesg":    {risk: Reads, raises: map[string]Risk{"-c": Destroys, "-C": Destroys, "--clear": Destroys, "--read-clear": Destroys, "-n": Changes, "-D": Changes, "-E": Changes, "--console-level": Changes, "--console-off": Changes, "--console-on": Changes}},
		"ss":       {risk: Reads, raises: map[string]Risk{"-K": Changes, "--kill": Changes, "-D": Changes, "--diag": Changes}},
		"sar":      {risk: Reads, raises: map[string]Risk{"-o": Changes}},
		"tcpdump":  {risk: Reads, raises: map[string]Risk{"-w": Changes, "-z": Unknown, "--postrotate-command": Unknown}},
		"crontab":  {risk: Changes, raises: map[string]Risk{"-r": Destroys}, decide: onlyOption(Changes, "-l")},
		"tee":      {decide: judgeTee},
		"uniq":     {decide: judgeUniq, raises: map[string]Risk{}},
		"xxd":      {decide: judgeUniq},
		"date":     {decide: judgeDate, raises: map[string]Risk{"-s": Changes, "--set": Changes}},
		"hostname": {decide: judgeHostname},
		"env":      {decide: judgeEnv},
		"find":     {risk: Reads, raises: map[string]Risk{"-delete": Destroys, "-fprint": Changes, "-fprint0": Changes, "-fprintf": Changes, "-fls": Changes}},
		"xargs":    {risk: Reads, decide: judgeXargs},
		"watch":    {risk: Reads},
		"ssh":      {decide: judgeSSH, raises: map[string]Risk{"-o": Unknown, "-F": Unknown, "-L": Unknown, "-R": Unknown, "-D": Unknown, "-w": Unknown, "-W": Unknown, "-S": Unknown, "-O": Unknown}},
		"awk":      {decide: judgeAwk}, "gawk": {decide: judgeAwk}, "mawk": {decide: judgeAwk}, "nawk": {decide: judgeAwk},
		"sed": {decide: judgeSed}, "gsed": {decide: judgeSed},
		"nc": {decide: judgeNetcat}, "ncat": {decide: judgeNetcat}, "netcat": {decide: judgeNetcat},
		"tar":   {decide: judgeTar},
		"rsync": {risk: Changes, raises: map[string]Risk{"--delete": Destroys, "--delete-before": Destroys, "--delete-after": Destroys, "--delete-during": Destroys, "--delete-excluded": Destroys, "--remove-source-files": Destroys, "-e": Unknown, "--rsh": Unknown, "--rsync-path": Unknown}},
		"curl":  {decide: judgeCurl}, "wget": {decide: judgeWget}, "http": {decide: judgeHTTPie}, "https": {decide: judgeHTTPie},
	} {
		programs[name] = p
	}
}

// onlyOption makes a program read where it is given an option that only looks.
func onlyOption(otherwise Risk, options ...string) func(invocation, bool) (Risk, string) {
	return func(inv invocation, _ bool) (Risk, string) {
		if len(inv.args) == 0 && inv.name == "mount" || hasOption(inv.args, options...) {
			return Reads, ""
		}
		return otherwise, ""
	}
}

// judgeScript: a script among the arguments is judged by itself, a file or what
// somebody types cannot be.
func judgeScript(inv invocation, _ bool) (Risk, string) {
	if _, known := inv.scriptText(); known || inv.name == "runuser" && len(startSu(&inv)) > 0 {
		return Reads, ""
	}
	return Unknown, "runs a script that cannot be looked into"
}

// judgeSudo: what it starts is judged by itself; starting nothing it opens a
// shell or an editor, or only looks.
func judgeSudo(inv invocation, fed bool) (Risk, string) {
	rest := operands(inv.args, sudoTakes)
	own := inv.args[:len(inv.args)-len(rest)]
	if len(rest) == 0 && (hasLetter(own, 'l') || hasLetter(own, 'v') || hasLetter(own, 'k') || hasLetter(own, 'V')) {
		return Reads, ""
	}
	for _, a := range rest {
		name, _, assigns := strings.Cut(a.text, "=")
		if !assigns || !assignmentWord.MatchString(a.text) {
			break
		}
		if decides(name) {
			return Unknown, name + "=… decides what other programs run, or where"
		}
	}
	return startsSomething(inv, fed)
}

// startsSomething: a program that opens a shell where it is told to start
// nothing else.
func startsSomething(inv invocation, _ bool) (Risk, string) {
	if len(starters[inv.name](&inv)) == 0 {
		return Unknown, "opens a shell"
	}
	return Reads, ""
}

// judgeLess: an argument that begins with + is a command that less runs.
func judgeLess(inv invocation, _ bool) (Risk, string) {
	for _, a := range inv.args {
		if strings.HasPrefix(a.text, "+") {
			return Unknown, "runs a command when it starts"
		}
	}
	return Reads, ""
}

func judgeTime(inv invocation, _ bool) (Risk, string) {
	own := inv.args[:len(inv.args)-len(operands(inv.args, "fo"))]
	if hasOption(own, "-o", "--output") || hasLetter(own, 'o') {
		return Changes, "writes a file"
	}
	return Reads, ""
}

func judgeTee(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "writes to files that data names"
	}
	for _, a := range operands(inv.args, "") {
		if !strings.HasPrefix(a.text, "/dev/null") && !strings.HasPrefix(a.text, "/dev/std") {
			return Changes, "writes " + a.text
		}
	}
	return Reads, ""
}

// judgeUniq: a second operand is a file that it writes.
func judgeUniq(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "writes to a file that data names"
	}
	operands, _, rest := words(inv.args, optionSet("-f -s -w -c -l -n -o --seek -seek -len -cols"))
	for _, a := range inv.args {
		if a.dynamic() {
			return Unknown, "has arguments that cannot be told"
		}
	}
	if inv.name == "uniq" {
		operands, _, rest = words(inv.args, optionSet("-f -s -w"))
	}
	if len(operands)+len(rest) > 1 || inv.name == "xxd" && (hasLetter(inv.args, 'r') && len(operands) > 1) {
		return Changes, "writes to its second operand"
	}
	return Reads, ""
}

// judgeDate: an operand that is no format sets the clock.
func judgeDate(inv invocation, _ bool) (Risk, string) {
	operands, _, _ := words(inv.args, optionSet("-d --date -f --file -r --reference -s --set -v -z"))
	for _, a := range operands {
		if !strings.HasPrefix(a.text, "+") {
			return Changes, "sets the clock"
		}
	}
	return Reads, ""
}

func judgeHostname(inv invocation, _ bool) (Risk, string) {
	operands, _, _ := words(inv.args, nil)
	if len(operands) > 0 || hasOption(inv.args, "-F", "--file", "-b", "--boot") || inv.appended {
		return Changes, "sets the machine's name"
	}
	return Reads, ""
}

// judgeEnv: the variables that env sets may decide what its program runs.
func judgeEnv(inv invocation, _ bool) (Risk, string) {
	if hasOption(inv.args, "-S", "--split-string") || hasLetter(inv.args, 'S') {
		return Unknown, "splits a text into a command"
	}
	for _, a := range inv.args {
		if name, _, ok := strings.Cut(a.text, "="); ok && decides(name) {
			return Unknown, name + "=… decides what other programs run, or where"
		}
	}
	return Reads, ""
}

// judgeXargs: what it starts is judged by itself; with -I the data stands
// inside the arguments.
func judgeXargs(inv invocation, _ bool) (Risk, string) {
	rest := starting(inv.args, xargsTakes, xargsFlags, xargsValues)
	if len(rest) == 0 {
		return Reads, "" // echo
	}
	if rest[0].dynamic() {
		return Unknown, "starts what data names"
	}
	return Reads, ""
}

func judgeSSH(inv invocation, _ bool) (Risk, string) {
	if inv.script == nil && len(inv.scripts) == 0 {
		return Unknown, "opens a session on another machine"
	}
	return Reads, ""
}

// judgeNetcat: -z only looks whether a port is open.
func judgeNetcat(inv invocation, _ bool) (Risk, string) {
	if hasLetter(inv.args, 'z') && !hasLetter(inv.args, 'e') && !hasLetter(inv.args, 'c') && !hasOption(inv.args, "-e", "-c", "--exec", "--sh-exec") && !inv.appended {
		return Reads, ""
	}
	return Unknown, "sends and receives anything"
}

func judgeTar(inv invocation, _ bool) (Risk, string) {
	for _, a := range inv.args {
		if a.dynamic() || a.is("--to-command") || a.is("--use-compress-program") || a.is("--checkpoint-action") || a.is("--info-script") || a.is("--new-volume-script") ||
			a.is("--rsh-command") || a.is("--rmt-command") || a.is("-I") || a.is("-F") {
			return Unknown, "may start other programs"
		}
	}
	if hasOption(inv.args, "--delete", "--remove-files") {
		return Destroys, "removes files"
	}
	if hasOption(inv.args, "-t", "--list") || len(inv.args) > 0 && strings.Trim(strings.TrimPrefix(inv.args[0].text, "-"), "tvfzjJ") == "" && strings.Contains(inv.args[0].text, "t") {
		return Reads, ""
	}
	return Changes, "writes files"
}
