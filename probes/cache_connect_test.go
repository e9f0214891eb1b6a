//go:build unix

package probes

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
)

func TestCacheErrorsSayWhichAndWhatToDo(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{})
	app := newApp(t, rd.URL())
	app("acl", "setuser", "weak", "on", ">weak-w0rd", "+ping", "+hello")
	const secret = "s3cr3t-w0rd"
	for name, c := range map[string]struct{ url, which, next string }{
		"refused":        {"redis://:" + secret + "@127.0.0.1:1", "connection refused", "check that the server runs"},
		"unknown host":   {"redis://:" + secret + "@no-such-host.invalid", "unknown host", "REDIS_URL"},
		"no password":    {"redis://" + rd.Addr, "authentication failed", "put the password into REDIS_URL"},
		"wrong password": {"redis://:" + secret + "@" + rd.Addr, "authentication failed", "check the user and the password"},
		"not permitted":  {"redis://weak:weak-w0rd@" + rd.Addr, "not permitted", "+info"},
		"no TLS":         {"rediss://:" + secret + "@" + rd.Addr, "timeout", "speaks TLS at all"},
		"bad URL":        {"redis://:" + secret + "@host:port:port", "cannot be read", "expected redis://"},
		"other scheme":   {"http://:" + secret + "@" + rd.Addr, "cannot be read", "expected redis://"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := takeCache(t, newCache(t, c.url))
			if err == nil || !strings.Contains(err.Error(), c.which) || !strings.Contains(err.Error(), c.next) {
				t.Fatalf("the error is %v; want %q and %q", err, c.which, c.next)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "weak-w0rd") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestCacheWhileRedisLoads(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{Settings: map[string]string{
		"key-load-delay": "2000", "loading-process-events-interval-bytes": "1024",
	}})
	app := newApp(t, rd.URL())
	app("eval", "for i = 1, 1000 do redis.call('set', 'key' .. i, i) end", 0)
	app("save")
	if err := rd.Stop(); err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() { started <- rd.Start(context.Background()) }()
	p := newCache(t, rd.URL())
	var said error
	await(t, "the end of loading", func() bool {
		c, err := takeCache(t, p)
		if err != nil && strings.Contains(err.Error(), "loading: ") && strings.Contains(err.Error(), "% of its data is in memory") {
			said = err
		}
		return err == nil && c.Keys == 1000
	})
	if said == nil {
		t.Error("it never said that Redis loads")
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func TestCacheOverTLS(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	certificate, key := selfSigned(t, folder)
	rd := testenv.StartRedis(t, testenv.RedisOptions{})
	app := newApp(t, rd.URL())
	app("config", "set", "tls-cert-file", certificate, "tls-key-file", key, "tls-auth-clients", "no", "tls-port", portOf(t, rd.Addr)+1)
	url := strings.Replace(rd.URL(), rd.Addr, net.JoinHostPort("127.0.0.1", fmt.Sprint(portOf(t, rd.Addr)+1)), 1)
	url = strings.Replace(url, "redis://", "rediss://", 1)

	if _, err := takeCache(t, newCache(t, url)); err == nil || !strings.Contains(err.Error(), "TLS failed") || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v; want that TLS failed", err)
	}
	p := newCache(t, url)
	pool := x509.NewCertPool()
	text, err := os.ReadFile(certificate)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate", err)
	}
	p.client.Options().TLSConfig.RootCAs = pool
	if c, err := takeCache(t, p); err != nil || c.Role != "master" {
		t.Errorf("over TLS: %+v, %v", c, err)
	}
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return tcp.Port
}

// selfSigned writes a certificate for 127.0.0.1 and its key.
func selfSigned(t *testing.T, folder string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: der},
		key:         {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// oldRedis answers as Redis 5 does: no HELLO, AUTH with a password alone, INFO of
// one section at most. No packaged server is that old.
func oldRedis(t *testing.T) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				lines := bufio.NewReader(conn)
				for {
					var args int
					if _, err := fmt.Fscanf(lines, "*%d\r\n", &args); err != nil {
						return
					}
					words := make([]string, args)
					for i := range words {
						var size int
						if _, err := fmt.Fscanf(lines, "$%d\r\n%s\r\n", &size, &words[i]); err != nil {
							return
						}
					}
					const text = "# Server\r\nredis_version:5.0.7\r\nuptime_in_seconds:5\r\n"
					reply := "-ERR unknown command\r\n"
					switch verb := strings.ToLower(words[0]); {
					case verb == "auth" && args == 2 && words[1] == "right":
						reply = "+OK\r\n"
					case verb == "auth":
						reply = "-ERR invalid password\r\n"
					case verb == "info" && args > 2:
						reply = "-ERR syntax error\r\n"
					case verb == "info":
						reply = fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
					case verb == "ping":
						reply = "+PONG\r\n"
					}
					if _, err := conn.Write([]byte(reply)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func TestCacheOfAnOldRedis(t *testing.T) {
	addr := oldRedis(t)
	p := newCache(t, "redis://:right@"+addr)
	for range 2 {
		if c, err := takeCache(t, p); err != nil || c.Version != "5.0.7" || c.MaxClients != 0 || c.Uptime != 5*time.Second {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if _, err := takeCache(t, newCache(t, "redis://:wrong@"+addr)); err == nil || !strings.Contains(err.Error(), "authentication failed") {
		t.Errorf("with a wrong password: %v", err)
	}
}
