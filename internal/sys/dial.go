package sys

import (
	"context"
	"net"
)

// DialFunc opens a connection to addr ("host:port"); net.Dialer.DialContext has this shape.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)
