package m365_test

import (
	"encoding/base64"
	"net"
	"strings"
	"testing"
)

type netConn = net.Conn

// decodePart gives the claims of a bearer token.
func decodePart(t *testing.T, authorization string) string {
	t.Helper()
	parts := strings.Split(authorization, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", authorization)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
