package runbooks

import (
	"regexp"
	"strings"
)

// curl's options by what they mean. One that is in none of these is not known.
var (
	curlFlags = optionSet("--silent --show-error --fail --fail-with-body --fail-early --insecure --location --location-trusted --verbose --include --globoff --no-buffer --compressed " +
		"--ipv4 --ipv6 --http1.0 --http1.1 --http2 --http3 --tlsv1.2 --tlsv1.3 --progress-bar --no-progress-meter --path-as-is --raw --tcp-nodelay --no-keepalive --retry-connrefused " +
		"--retry-all-errors --anyauth --basic --digest --negotiate --ntlm --ssl-reqd --styled-output --no-styled-output --parallel --head --get --version --help")
	curlValues = optionSet("--header --user --user-agent --referer --cookie --write-out --max-time --connect-timeout --proxy --proxy-user --cert --key --cacert --capath --resolve --retry " +
		"--retry-delay --retry-max-time --interface --range --url --unix-socket --connect-to --limit-rate --max-redirs --proto --proto-default --tls-max --ciphers --url-query --oauth2-bearer " +
		"--noproxy --speed-limit --speed-time --keepalive-time --cert-type --key-type --pass --dns-servers --doh-url --max-filesize --expect100-timeout")
	curlSends  = optionSet("--data --data-raw --data-binary --data-urlencode --data-ascii --json --form --form-string")
	curlWrites = optionSet("--output --cookie-jar --dump-header --trace --trace-ascii --stderr --libcurl --etag-save --hsts --alt-svc --output-dir")
	// The letters are those of the long options.
	curlShort = map[byte]string{
		's': "--silent", 'S': "--show-error", 'f': "--fail", 'k': "--insecure", 'L': "--location", 'v': "--verbose", 'i': "--include", 'g': "--globoff", 'N': "--no-buffer",
		'4': "--ipv4", '6': "--ipv6", '0': "--http1.0", '#': "--progress-bar", 'I': "--head", 'G': "--get", 'V': "--version", 'h': "--help",
		'H': "--header", 'u': "--user", 'A': "--user-agent", 'e': "--referer", 'b': "--cookie", 'w': "--write-out", 'm': "--max-time", 'x': "--proxy", 'U': "--proxy-user", 'E': "--cert", 'r': "--range", 'y': "--speed-time", 'Y': "--speed-limit",
		'd': "--data", 'F': "--form", 'o': "--output", 'c': "--cookie-jar", 'D': "--dump-header", 'X': "--request", 'T': "--upload-file", 'O': "--remote-name", 'J': "--remote-header-name", 'R': "--remote-time",
	}
	webAddress = regexp.MustCompile(`(?i)^(https?://|file://|[^:/?#]*(:\d+)?([/?#]|$)|[^:/]+:\d+)`)
)

// curlRequest is what curl is told to do.
type curlRequest struct {
	risk   Risk
	why    string
	method string
	get    bool // data goes into the address
	sends  bool
}

func (c *curlRequest) raise(r Risk, why string) {
	if c.risk.worse(r) != c.risk {
		c.risk, c.why = r, why
	}
}

// option takes one option in, and tells whether it has a value.
func (c *curlRequest) option(name string, value arg) bool {
	switch {
	case name == "--get":
		c.get = true
	case curlFlags[name]:
	case curlValues[name]:
		return true
	case curlSends[name]:
		c.sends = true
		return true
	case name == "--request":
		c.method = strings.ToUpper(value.text)
		if !value.static {
			c.raise(Unknown, "its method is known only when it runs")
		}
		return true
	case curlWrites[name]:
		if value.text != "-" && value.text != "/dev/null" {
			c.raise(Changes, "writes a file")
		}
		return true
	case name == "--upload-file":
		c.raise(Changes, "uploads a file")
		return true
	case name == "--remote-name", name == "--remote-header-name", name == "--remote-name-all", name == "--remote-time":
		c.raise(Changes, "writes a file")
	default:
		c.raise(Unknown, "has an option that is not known: "+name)
	}
	return false
}

// judgeCurl: the method decides, and where the answer goes.
func judgeCurl(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be options"
	}
	c := &curlRequest{risk: Reads}
	next := func(i int) arg {
		if i+1 < len(inv.args) {
			return inv.args[i+1]
		}
		return arg{static: true}
	}
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		took := false
		switch {
		case !a.quotedWhole():
			c.raise(Unknown, "has an argument that may turn out to be several")
		case a.dynamic():
			c.raise(Unknown, "has an argument that may turn out to be anything")
		case !a.option():
			if !webAddress.MatchString(a.text) {
				c.raise(Unknown, "speaks a protocol that is not the web's")
			}
		case strings.HasPrefix(a.text, "--"):
			name, value, glued := strings.Cut(a.text, "=")
			if glued {
				c.option(name, arg{text: value, static: a.static})
			} else {
				took = c.option(name, next(i))
			}
		default:
			for k := 1; k < len(a.text); k++ {
				name, known := curlShort[a.text[k]]
				if !known {
					name = "-" + a.text[k:k+1]
				}
				value, rest := next(i), a.text[k+1:]
				if rest != "" {
					value = arg{text: rest, static: a.static}
				}
				if c.option(name, value) {
					took = rest == ""
					break
				}
			}
		}
		if took {
			i++
			if i < len(inv.args) && !inv.args[i].quotedWhole() {
				c.raise(Unknown, "has an argument that may turn out to be several")
			}
		}
	}
	if c.method == "" && c.sends && !c.get {
		c.method = "POST"
	}
	switch c.method {
	case "", "GET", "HEAD", "OPTIONS":
	case "DELETE":
		c.raise(Destroys, "sends DELETE")
	default:
		c.raise(Changes, "sends "+c.method)
	}
	return c.risk, c.why
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
	if hasOption(inv.args, "-o", "--output-file", "-a", "--append-output", "--save-cookies", "--warc-file", "--rejected-log", "--hsts-file", "-P") {
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
