package runbooks

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Kind is what a placeholder stands for, as far as its name tells.
type Kind string

// The kinds of value. Each but KindText has a shape that Bind checks.
const (
	KindText       Kind = "text"
	KindPod        Kind = "pod"
	KindDeployment Kind = "deployment"
	KindService    Kind = "service"
	KindNode       Kind = "node"
	KindNamespace  Kind = "namespace"
	KindObject     Kind = "object"    // another Kubernetes object's name
	KindAddress    Kind = "address"   // an IP address
	KindNetwork    Kind = "network"   // an IP address with a prefix length
	KindRevision   Kind = "revision"  // of a Deployment
	KindBackend    Kind = "backend"   // process id of a database session
	KindUser       Kind = "user"      // a user of the application
	KindNumber     Kind = "number"    // digits
	KindTime       Kind = "time"      // a time as file names carry it
	KindWAL        Kind = "wal"       // the name of a WAL segment
	KindImage      Kind = "image"     // a container image
	KindStatement  Kind = "statement" // one SQL statement
)

// Placeholder is what Bind needs a value for, and what may be known about it.
type Placeholder struct {
	Name    string // as written
	Kind    Kind
	Subject string // whose: "postgres" of <postgres-pod>; may be empty
	Secret  bool   // it is typed unseen and masked wherever it would show
}

// Candidate is a value that a placeholder could have.
type Candidate struct {
	Value  string
	Detail string // what tells it from the others: "Running, 41d", "erpgo/api:1.4.1, 6m ago"
}

// Candidates offers values from live objects. It must return at once, from what
// is known already.
type Candidates interface {
	Candidates(p Placeholder) []Candidate
}

// kindWords are the last words of names, by the kind that they tell.
var kindWords = map[string]Kind{
	"pod": KindPod, "pods": KindPod, "deployment": KindDeployment, "deploy": KindDeployment, "service": KindService, "svc": KindService,
	"node": KindNode, "namespace": KindNamespace, "ns": KindNamespace, "statefulset": KindObject, "daemonset": KindObject, "replicaset": KindObject,
	"job": KindObject, "cronjob": KindObject, "ingress": KindObject, "secret": KindObject, "configmap": KindObject, "pvc": KindObject, "pv": KindObject, "container": KindObject,
	"ip": KindAddress, "address": KindAddress, "addr": KindAddress, "cidr": KindNetwork, "subnet": KindNetwork,
	"revision": KindRevision, "pid": KindBackend, "backend": KindBackend, "number": KindNumber, "count": KindNumber, "port": KindNumber, "replicas": KindNumber,
	"timestamp": KindTime, "image": KindImage, "query": KindStatement, "statement": KindStatement, "sql": KindStatement,
	"user": KindUser, "username": KindUser, "account": KindUser,
}

// Describe tells what a placeholder or a variable stands for, from its name.
func Describe(name string) Placeholder {
	p := Placeholder{Name: name, Kind: KindText, Secret: secretName(name)}
	words := strings.FieldsFunc(canonical(name), func(r rune) bool { return r == '-' || r == '.' || r == '/' || r == ':' })
	if len(words) == 0 {
		return p
	}
	last := len(words) - 1
	for _, w := range words {
		switch w {
		case "wal":
			p.Kind = KindWAL
			return p
		case "email", "mail":
			return p
		}
	}
	if words[last] == "number" && last > 0 && words[last-1] == "revision" {
		last--
	}
	if words[last] == "id" && last > 0 && words[last-1] == "user" {
		p.Kind, p.Subject = KindUser, strings.Join(words[:last-1], "-")
		return p
	}
	if kind, ok := kindWords[words[last]]; ok {
		p.Kind, p.Subject = kind, strings.Join(words[:last], "-")
	}
	return p
}

var secretWords = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential)`)

// secretName tells whether a value with this name is a secret. A lock token is
// only an opaque version.
func secretName(name string) bool {
	return secretWords.MatchString(name) && !strings.Contains(strings.ToLower(name), "lock") && !strings.HasSuffix(canonical(name), "secret-name")
}

var (
	digitsOnly = regexp.MustCompile(`^[0-9]{1,18}$`)
	timeShape  = regexp.MustCompile(`^[0-9][0-9A-Za-z:._+-]{0,63}$`)
	walShape   = regexp.MustCompile(`^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)?$`)
	imageShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}$`)
)

// check tells why a value cannot be what the placeholder stands for.
func (p Placeholder) check(value string) error {
	bad := func(want string) error {
		return fmt.Errorf("%q is not %s; correct the value of %s", value, want, p.Name)
	}
	if p.Secret {
		bad = func(want string) error { return fmt.Errorf("the value of %s is not %s", p.Name, want) }
	}
	switch {
	case value == "":
		return fmt.Errorf("%s has no value", p.Name)
	case strings.IndexByte(value, 0) >= 0:
		return bad("text: it holds a NUL byte")
	}
	switch p.Kind {
	case KindPod, KindDeployment, KindService, KindNode, KindNamespace, KindObject:
		if problems := validation.IsDNS1123Subdomain(value); len(problems) > 0 {
			return bad("the name of a Kubernetes object")
		}
	case KindAddress:
		if _, err := netip.ParseAddr(value); err != nil {
			return bad("an IP address")
		}
	case KindNetwork:
		if _, err := netip.ParsePrefix(value); err != nil {
			return bad("a network such as 10.4.8.0/24")
		}
	case KindRevision, KindBackend, KindNumber:
		if !digitsOnly.MatchString(value) {
			return bad("a number")
		}
	case KindTime:
		if !timeShape.MatchString(value) {
			return bad("a time as backups are named by")
		}
	case KindWAL:
		if !walShape.MatchString(value) {
			return bad("the name of a WAL segment (24 hexadecimal digits)")
		}
	case KindImage:
		if !imageShape.MatchString(value) {
			return bad("a container image")
		}
	}
	return nil
}

// FromLabels finds the value of a placeholder or a variable in an alert's
// labels: <pod> and $POD in the label pod, <postgres-pod> there too if its value
// begins with "postgres".
func FromLabels(name string, labels map[string]string) (string, bool) {
	want := canonical(name)
	for label, value := range labels {
		if value != "" && canonical(label) == want {
			return value, true
		}
	}
	p := Describe(name)
	value := labels[string(p.Kind)]
	if p.Kind != KindText && value != "" && strings.HasPrefix(value, p.Subject) {
		return value, true
	}
	return "", false
}
