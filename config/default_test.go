package config

import (
	"regexp"
	"testing"
)

func TestDefaultLoginPattern(t *testing.T) {
	re := regexp.MustCompile(Default().Logins.Pattern)
	for _, test := range []struct{ line, user, ip string }{
		{`level=WARN msg="authentication failed" user=user0017 ip=10.4.8.15`, "user0017", "10.4.8.15"},
		{`{"level":"warn","msg":"failed login","username":"user0017","remote_addr":"2001:db8::1"}`, "user0017", "2001:db8::1"},
		{`10.0.0.7 POST /login forwarded=10.4.8.15 authentication failed: failed login username=user0017 user=user0017 ip=10.4.8.15 attempts=3`, "user0017", "10.4.8.15"},
		{`Login failed: user_id: 17, client_ip: 10.4.8.15`, "17", "10.4.8.15"},
		{`level=INFO msg="login ok" user=user42 ip=10.4.8.15`, "", ""},
		{`level=WARN msg="authentication failed"`, "", ""},
	} {
		var user, ip string
		if m := re.FindStringSubmatch(test.line); m != nil {
			user, ip = m[re.SubexpIndex("user")], m[re.SubexpIndex("ip")]
		}
		if user != test.user || ip != test.ip {
			t.Errorf("%s\ngives user %q, ip %q; want %q, %q", test.line, user, ip, test.user, test.ip)
		}
	}
}
