package runbooks

import (
	"regexp"
	"strings"
)

// awkActs is what makes an awk program do more than print: system(), pipes,
// files, in-place editing. Comparisons are told apart from redirections by what
// stands before them.
var (
	awkActs     = regexp.MustCompile(`\bsystem\s*\(|\bgetline\b|\bclose\s*\(|\bfflush\b|@(load|include)|"[^"]*"\s*\||[^|]\|[^|]`)
	awkRedirect = regexp.MustCompile(`\bprintf?\b[^;}\n]*>`)
	awkStrings  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|/(?:[^/\\\n]|\\.)*/`)
)

func judgeAwk(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be a program"
	}
	i := 0
	for ; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic():
			return Unknown, "runs a program that is known only when it runs"
		case a.is("-f") || a.is("--file") || a.is("-i") || a.is("--include") || a.is("-l") || a.is("--load") || a.is("-E") || a.is("-e"):
			return Unknown, "runs a program from a file"
		case a.text == "-F" || a.text == "-v":
			i++
			continue
		case a.text == "--":
			i++
		case a.option():
			continue
		}
		break
	}
	if i >= len(inv.args) {
		return Reads, ""
	}
	code := inv.args[i]
	if !code.static {
		return Unknown, "runs a program that is known only when it runs"
	}
	bare := awkStrings.ReplaceAllString(code.text, `""`)
	if awkActs.MatchString(bare) || awkRedirect.MatchString(bare) {
		return Unknown, "its program may start others or write files"
	}
	return Reads, ""
}

// sedPrints are the sed scripts that only print: addresses with p, d, q, n, =,
// and substitutions whose flags neither write a file nor run the result.
var sedPrints = regexp.MustCompile(`^(\s*((\d+|\$|/(?:[^/\\\n]|\\.)*/)(,(\+?\d+|\$|/(?:[^/\\\n]|\\.)*/))?)?\s*!?\s*([pdqnDPNhHgGx=]|s/(?:[^/\\\n]|\\.)*/(?:[^/\\\n]|\\.)*/[gpIi0-9]*|s\|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\|[gpIi0-9]*|s,(?:[^,\\\n]|\\.)*,(?:[^,\\\n]|\\.)*,[gpIi0-9]*|s#(?:[^#\\\n]|\\.)*#(?:[^#\\\n]|\\.)*#[gpIi0-9]*)\s*(;|\n|$))+$`)

func judgeSed(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be a script"
	}
	var scripts []arg
	given := false
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic():
			return Unknown, "runs a script that is known only when it runs"
		case a.is("--in-place") || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.ContainsAny(a.text, "iI"):
			return Changes, "edits files in place"
		case a.is("-f") || a.is("--file"):
			return Unknown, "runs a script from a file"
		case a.text == "-e" || a.text == "--expression" || a.text == "-ne" || a.text == "-nre" || a.text == "-nEe" || a.text == "-Ee" || a.text == "-re":
			if i++; i < len(inv.args) {
				scripts, given = append(scripts, inv.args[i]), true
			}
		case a.option():
			if strings.Trim(a.text, "-nErsuz") != "" && !a.is("--quiet") && !a.is("--silent") && !a.is("--regexp-extended") {
				return Unknown, "has an option that is not known"
			}
		case !given && len(scripts) == 0:
			scripts, given = append(scripts, a), true
		}
	}
	for _, s := range scripts {
		if !s.static || !sedPrints.MatchString(s.text) {
			return Unknown, "its script may write files or start programs"
		}
	}
	return Reads, ""
}

// curlTakes are curl's options with a value in the next word.
var curlTakes = optionSet("-X --request -d --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form -T --upload-file -H --header -u --user " +
	"-o --output -w --write-out -m --max-time --connect-timeout -A --user-agent -e --referer -b --cookie -c --cookie-jar -x --proxy -E --cert --key " +
	"--cacert --capath --resolve --retry --retry-delay --retry-max-time -D --dump-header -K --config --interface -r --range -y -Y -z --url --unix-socket " +
	"--connect-to --form-string --limit-rate --max-redirs --output-dir --proto --tls-max --ciphers -C --continue-at --url-query --oauth2-bearer --noproxy --stderr --trace --trace-ascii -Q --quote")

// judgeCurl: the method decides, and where the answer goes.
func judgeCurl(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be options"
	}
	method, get, sends := "", false, false
	risk, why := Reads, ""
	raise := func(r Risk, reason string) {
		if risk.worse(r) != risk {
			risk, why = r, reason
		}
	}
	value := func(i int, a arg, long, short string) (arg, bool) {
		switch {
		case a.text == long || a.text == short:
			if i+1 < len(inv.args) {
				return inv.args[i+1], true
			}
			return arg{}, true
		case strings.HasPrefix(a.text, long+"="):
			return arg{text: a.text[len(long)+1:], static: a.static}, true
		case short != "" && strings.HasPrefix(a.text, short) && len(a.text) > 2 && !strings.HasPrefix(a.text, "--"):
			return arg{text: a.text[2:], static: a.static}, true
		}
		return arg{}, false
	}
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		if a.dynamic() {
			if a.quotedWhole() && (i == 0 || !curlTakes[inv.args[i-1].text]) {
				raise(Unknown, "has an argument that may turn out to be an option")
			} else if !a.quotedWhole() {
				raise(Unknown, "has an argument that may turn out to be several")
			}
			continue
		}
		if !a.option() {
			continue
		}
		if v, ok := value(i, a, "--request", "-X"); ok {
			method = strings.ToUpper(v.text)
			if !v.static {
				raise(Unknown, "its method is known only when it runs")
			}
		}
		for _, o := range [][2]string{{"--output", "-o"}, {"--cookie-jar", "-c"}, {"--dump-header", "-D"}, {"--trace", ""}, {"--trace-ascii", ""}, {"--stderr", ""}} {
			if v, ok := value(i, a, o[0], o[1]); ok && v.text != "-" && v.text != "/dev/null" {
				raise(Changes, "writes a file")
			}
		}
		switch {
		case a.text == "-G" || a.text == "--get" || a.text == "-I" || a.text == "--head":
			get = true
		case strings.HasPrefix(a.text, "-d"), strings.HasPrefix(a.text, "--data"), strings.HasPrefix(a.text, "-F"), strings.HasPrefix(a.text, "--form"), strings.HasPrefix(a.text, "--json"):
			sends = true
		case strings.HasPrefix(a.text, "-T"), strings.HasPrefix(a.text, "--upload-file"):
			raise(Changes, "uploads a file")
		case a.text == "-O", strings.HasPrefix(a.text, "--remote-name"), a.text == "-J", strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.ContainsAny(clusterOf(a.text), "OJ"):
			raise(Changes, "writes a file")
		case strings.HasPrefix(a.text, "-K"), strings.HasPrefix(a.text, "--config"):
			raise(Unknown, "takes its options from a file")
		case strings.HasPrefix(a.text, "-Q"), strings.HasPrefix(a.text, "--quote"):
			raise(Unknown, "sends a command")
		}
		if strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") {
			switch c := clusterOf(a.text); {
			case strings.Contains(c, "X"):
				method = strings.ToUpper(firstOf(c[strings.IndexByte(c, 'X')+1:], nextText(inv.args, i)))
			case strings.ContainsAny(c, "dFT"):
				sends = true
			case strings.ContainsAny(c, "oDc") && nextText(inv.args, i) != "/dev/null" && nextText(inv.args, i) != "-" && len(c) > 1 && strings.IndexByte("oDc", c[len(c)-1]) >= 0:
				raise(Changes, "writes a file")
			}
		}
		if curlTakes[a.text] {
			i++
			if i < len(inv.args) && !inv.args[i].static && !inv.args[i].quotedWhole() {
				raise(Unknown, "has an argument that may turn out to be several")
			}
		}
	}
	if method == "" && sends && !get {
		method = "POST"
	}
	switch method {
	case "", "GET", "HEAD", "OPTIONS":
	case "DELETE":
		raise(Destroys, "sends DELETE")
	default:
		raise(Changes, "sends "+method)
	}
	return risk, why
}

// clusterOf are the letters of a cluster of one-letter options, up to one that
// has its value glued to it and is judged by itself.
func clusterOf(s string) string {
	c := s[1:]
	for i := range len(c) {
		if strings.IndexByte("HuAebxEmwrzyYC", c[i]) >= 0 {
			return c[:i]
		}
	}
	return c
}

func nextText(args []arg, i int) string {
	if i+1 < len(args) {
		return args[i+1].text
	}
	return ""
}

// quotedWhole tells whether a word stays one word whatever it expands to.
func (a arg) quotedWhole() bool {
	if a.word == nil {
		return a.static
	}
	return oneWord(a.word)
}

func judgeWget(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be options"
	}
	risk, why := Changes, "writes a file"
	for i, a := range inv.args {
		switch {
		case a.dynamic():
			return Unknown, "has an argument that may turn out to be an option"
		case a.is("--post-data"), a.is("--post-file"), a.is("--body-data"), a.is("--body-file"):
			return Changes, "sends POST"
		case a.is("--method"):
			if !strings.HasSuffix(strings.ToUpper(a.text), "=GET") && !strings.HasSuffix(strings.ToUpper(a.text), "=HEAD") {
				if strings.HasSuffix(strings.ToUpper(a.text), "=DELETE") {
					return Destroys, "sends DELETE"
				}
				return Changes, "sends a request that may change something"
			}
		case a.is("--use-askpass"), a.is("-e"), a.is("--execute"), a.is("-i"), a.is("--input-file"), a.is("--config"):
			return Unknown, "takes its options from elsewhere"
		case a.text == "--spider", a.text == "-O-", a.text == "-qO-", a.text == "--output-document=-", a.text == "-O/dev/null", a.text == "-qO/dev/null",
			(a.text == "-O" || a.text == "-qO") && (nextText(inv.args, i) == "-" || nextText(inv.args, i) == "/dev/null"):
			risk, why = Reads, ""
		}
	}
	if hasOption(inv.args, "-o", "--output-file", "-a", "--append-output", "--save-cookies", "--warc-file", "-P") {
		return Changes, "writes a file"
	}
	return risk, why
}

// judgeHTTPie: http GET URL reads; anything it sends makes it a POST.
func judgeHTTPie(inv invocation, fed bool) (Risk, string) {
	operands, options, _ := words(inv.args, optionSet("-a --auth -A --auth-type --session --timeout --proxy --verify --cert -o --output -p --print -s --style"))
	if inv.appended || len(operands) == 0 || fed {
		return Unknown, "sends what cannot be told"
	}
	if hasOption(options, "-o", "--output", "-d", "--download", "--session") {
		return Changes, "writes a file"
	}
	switch strings.ToUpper(operands[0].text) {
	case "GET", "HEAD", "OPTIONS":
		return Reads, ""
	case "DELETE":
		return Destroys, "sends DELETE"
	case "POST", "PUT", "PATCH":
		return Changes, "sends " + strings.ToUpper(operands[0].text)
	}
	for _, o := range operands {
		if !o.static {
			return Unknown, "sends what cannot be told"
		}
	}
	if len(operands) == 1 {
		return Reads, ""
	}
	for _, o := range operands[1:] {
		if !strings.Contains(o.text, "==") && !regexp.MustCompile(`^[A-Za-z-]+:[^=]`).MatchString(o.text) {
			return Changes, "sends POST"
		}
	}
	return Reads, ""
}
