package probes

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// failedLogins runs the configured query over the audit table, in a turn of the
// one connection, and returns its newest rows since a time, at most limit. The
// query sees that time as $1 and yields the columns at, user and ip, of
// whatever types.
//
// It is one statement in a read-only transaction and under statement_timeout:
// what it could do beyond reading is what the role may do in a SELECT.
func (p *DatabaseProbe) failedLogins(ctx context.Context, sql string, since time.Time, limit int) ([]failedLogin, error) {
	// The line breaks end a comment that the query may end with.
	wrapped := fmt.Sprintf(`
		select extract(epoch from q.at::timestamptz)::float8, coalesce(q."user"::text, ''), coalesce(q.ip::text, '')
		from (
		%s
		) q
		where q.at >= $1
		order by q.at desc limit %d`, strings.TrimRight(sql, "; \t\r\n"), limit)
	var rows []failedLogin
	err := p.session.read(ctx, func(q query) error {
		rows = rows[:0]
		return q.each(wrapped, []any{since.UTC()}, func(r pgx.Rows) error {
			var l failedLogin
			var at float64
			err := r.Scan(&at, &l.user, &l.address)
			l.at = time.UnixMicro(int64(at * 1e6))
			l.user, l.address = firstBytes(l.user, nameKept), plainAddress(firstBytes(l.address, nameKept))
			rows = append(rows, l)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// plainAddress writes the same address the same way, whoever wrote it: without
// the mask that the type inet shows, a port, or the prefix of an IPv4 address
// in IPv6. What is no address stays as it is.
func plainAddress(s string) string {
	if prefix, err := netip.ParsePrefix(s); err == nil && prefix.IsSingleIP() {
		return prefix.Addr().Unmap().String()
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Unmap().String()
	}
	if port, err := netip.ParseAddrPort(s); err == nil {
		return port.Addr().Unmap().String()
	}
	return s
}
